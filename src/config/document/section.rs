//! The one definition of each section.
//!
//! ```text
//! section! {
//!     /// How an origin is asked over HTTP.
//!     pub(crate) struct HttpCheck ("an HTTP check") {
//!         /// What is asked for.
//!         path: RequestTarget = "/",                      // a default, written as TOML
//!         /// Statuses that are good.
//!         rise: u32 = 3 in 1 ..= 100,                     // with limits
//!         /// The port asked.
//!         port: u16 = optional "the origin's own",        // no fixed default: `Optional`, and what holds instead
//!         /// Where it goes.
//!         pool: Text = required,                          // `Option`, too: `None` only after a mistake
//!         /// When.
//!         timing: Timing = flatten,                       // another section's keys, in this table
//!     }
//! }
//! ```
//!
//! From it come the struct with its places, decoding, and the description that the schema and the reference are made
//! from. A key that is not a Rust name in lower case is given as `a as "A": ...`; `called NAME` after the noun says
//! what stands for a named section's name in paths; `choice` says that its keys exclude each other.

use super::{
    decode::Decode,
    describe::{KeyShape, SectionShape},
    keys::Keys,
};
use crate::config::diagnostic::Diagnostics;

/// A table of known keys.
pub(crate) trait Section: Decode {
    /// What one of them is called in messages, with its article.
    const NOUN: &'static str;
    /// Whether its keys exclude each other.
    const IS_CHOICE: bool;

    /// Its keys, put behind those that are there.
    fn describe(keys: &mut Vec<KeyShape>);

    /// All of it.
    fn section_shape() -> SectionShape;

    /// Reads its keys.
    fn take(keys: &mut Keys<'_>, problems: &mut Diagnostics) -> Self;
}

macro_rules! section {
    ($(
        $(#[doc = $doc:literal])+
        pub(crate) struct $name:ident ($noun:literal $(, called $called:ident)? $(; $choice:ident)?) {
            $(
                $(#[doc = $key_doc:literal])+
                $key:ident $(as $written:literal)? : $type:ty = $rule:tt $($otherwise:literal)? $(in $low:literal ..= $high:literal)?,
            )*
        }
    )+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Debug)]
        pub(crate) struct $name {
            $($(#[doc = $key_doc])+ pub(crate) $key: $crate::config::document::section::field!($rule $type),)*
        }

        impl $crate::config::document::section::Section for $name {
            const NOUN: &'static str = $noun;
            const IS_CHOICE: bool = $crate::config::document::section::is_choice!($($choice)?);

            fn describe(keys: &mut Vec<$crate::config::document::describe::KeyShape>) {
                $($crate::config::document::section::describe_key!(
                    keys,
                    $crate::config::document::section::key!($key $($written)?),
                    concat!($($key_doc, "\n"),+),
                    $type,
                    [$rule $($otherwise)?],
                    $crate::config::document::section::limits!($($low $high)?)
                );)*
            }

            fn section_shape() -> $crate::config::document::describe::SectionShape {
                let mut keys = Vec::new();
                <Self as $crate::config::document::section::Section>::describe(&mut keys);
                let doc = concat!($($doc, "\n"),+);
                $crate::config::document::describe::SectionShape { name: stringify!($name), doc, is_choice: Self::IS_CHOICE, keys }
            }

            fn take(
                keys: &mut $crate::config::document::keys::Keys<'_>,
                problems: &mut $crate::config::diagnostic::Diagnostics,
            ) -> Self {
                Self {
                    $($key: {
                        let purpose = $crate::config::document::decode::Purpose {
                            key: $crate::config::document::section::key!($key $($written)?),
                            limits: $crate::config::document::section::limits!($($low $high)?),
                        };
                        $crate::config::document::section::take_key!(keys, purpose, problems, $type, $rule)
                    },)*
                }
            }
        }

        impl $crate::config::document::decode::Decode for $name {
            $(const CALLED: &'static str = stringify!($called);)?

            fn shape() -> $crate::config::document::describe::Shape {
                $crate::config::document::describe::Shape::Section(
                    <Self as $crate::config::document::section::Section>::section_shape(),
                )
            }

            fn decode(
                node: &$crate::config::document::tree::Node,
                purpose: $crate::config::document::decode::Purpose<'_>,
                problems: &mut $crate::config::diagnostic::Diagnostics,
            ) -> Option<Self> {
                $crate::config::document::keys::decode_section(node, purpose.key, problems)
            }
        }
    )+};
}

/// The field of a key: settled where there is a default.
macro_rules! field {
    (required $type:ty) => { Option<$crate::config::document::written::Written<$type>> };
    (optional $type:ty) => { $crate::config::document::written::Optional<$type> };
    (flatten $type:ty) => { $type };
    ($default:tt $type:ty) => { $crate::config::document::written::Written<$type> };
}

macro_rules! key {
    ($key:ident) => {
        stringify!($key)
    };
    ($key:ident $written:literal) => {
        $written
    };
}

macro_rules! is_choice {
    () => {
        false
    };
    (choice) => {
        true
    };
}

macro_rules! limits {
    () => {
        None
    };
    ($low:literal $high:literal) => {
        Some((
            $crate::config::document::section::plain(stringify!($low)),
            $crate::config::document::section::plain(stringify!($high)),
        ))
    };
}

macro_rules! describe_key {
    ($keys:ident, $key:expr, $doc:expr, $type:ty, [flatten], $limits:expr) => {
        <$type as $crate::config::document::section::Section>::describe($keys)
    };
    ($keys:ident, $key:expr, $doc:expr, $type:ty, [$($rule:tt)+], $limits:expr) => {
        $keys.push($crate::config::document::describe::KeyShape {
            key: $key,
            doc: $doc,
            shape: <$type as $crate::config::document::decode::Decode>::shape(),
            fallback: $crate::config::document::section::fallback!($($rule)+),
            limits: $limits,
        })
    };
}

macro_rules! fallback {
    (required) => {
        $crate::config::document::describe::Fallback::Required
    };
    (optional $otherwise:literal) => {
        $crate::config::document::describe::Fallback::Explained($otherwise)
    };
    ($default:tt) => {
        $crate::config::document::describe::Fallback::Value(stringify!($default))
    };
}

macro_rules! take_key {
    ($keys:ident, $purpose:ident, $problems:ident, $type:ty, required) => {
        $keys.required($purpose, $problems)
    };
    ($keys:ident, $purpose:ident, $problems:ident, $type:ty, optional) => {
        $keys.optional($purpose, $problems)
    };
    ($keys:ident, $purpose:ident, $problems:ident, $type:ty, flatten) => {{
        let _ = $purpose;
        <$type as $crate::config::document::section::Section>::take($keys, $problems)
    }};
    ($keys:ident, $purpose:ident, $problems:ident, $type:ty, $default:tt) => {{
        // Read once: a fleet has the same default a hundred thousand times.
        static DEFAULT: std::sync::OnceLock<$crate::config::document::written::Written<$type>> =
            std::sync::OnceLock::new();
        $keys.optional($purpose, $problems).or_default(|| {
            DEFAULT.get_or_init(|| $crate::config::document::keys::default_of(stringify!($default), $purpose)).clone()
        })
    }};
}

/// A limit as it would be written in a text, its quotes left out.
pub(crate) const fn plain(literal: &'static str) -> &'static str {
    match literal.as_bytes() {
        [b'"', .., b'"'] => literal.split_at(literal.len() - 1).0.split_at(1).1,
        _ => literal,
    }
}

pub(crate) use {describe_key, fallback, field, is_choice, key, limits, section, take_key};
