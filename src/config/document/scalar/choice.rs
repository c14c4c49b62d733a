//! Values that are one of a few words.

/// Defines an enum whose variants are written as words.
macro_rules! choice {
    ($(#[$meta:meta])* pub(crate) enum $name:ident {
        $first:ident = $first_word:literal, $($variant:ident = $word:literal,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name {
            $first,
            $($variant,)*
        }

        impl $crate::config::document::scalar::Scalar for $name {
            const KIND: $crate::config::document::scalar::Kind = $crate::config::document::scalar::Kind {
                what: concat!("`", $first_word, "`" $(, " or `", $word, "`")*),
                example: concat!("\"", $first_word, "\""),
                json: $crate::config::document::scalar::Json::Choice(&[$first_word $(, $word)*]),
            };

            fn read(
                value: &$crate::config::document::tree::Value,
            ) -> Result<Self, $crate::config::document::scalar::Misread> {
                let $crate::config::document::tree::Value::Text(word) = value else {
                    return Err($crate::config::document::scalar::Misread::WrongType);
                };
                match word.as_str() {
                    $first_word => Ok(Self::$first),
                    $($word => Ok(Self::$variant),)*
                    _ => Err($crate::config::document::scalar::Misread::Bad {
                        why: "there is no such choice".to_owned(),
                        hint: None,
                    }),
                }
            }
        }
    };
}

pub(crate) use choice;
