//! The JSON Schema of a config (draft 2020-12), for editors: made from the sections' definitions, committed under `config/`.

use serde_json::{Map, Value, json};

use super::document::{Fallback, Json, KeyShape, Kind, SectionShape, Shape, document_shape};

/// The schema as text.
pub fn schema() -> String {
    let shape = document_shape();
    let mut definitions = Map::new();
    let mut root = section(&shape, &mut definitions);
    root.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    root.insert("title".into(), "meridian config".into());
    root.insert("$defs".into(), Value::Object(definitions));
    let mut text = serde_json::to_string_pretty(&root).unwrap_or_default();
    text.push('\n');
    text
}

fn section(shape: &SectionShape, definitions: &mut Map<String, Value>) -> Map<String, Value> {
    let properties: Map<_, _> = shape.keys.iter().map(|key| (key.key.to_owned(), property(key, definitions))).collect();
    let required: Vec<_> =
        shape.keys.iter().filter(|key| key.fallback == Fallback::Required).map(|key| key.key).collect();
    let mut object = Map::new();
    object.insert("type".into(), "object".into());
    object.insert("description".into(), sentence(shape.doc).into());
    object.insert("additionalProperties".into(), false.into());
    object.insert("properties".into(), Value::Object(properties));
    if !required.is_empty() {
        object.insert("required".into(), required.into());
    }
    if shape.is_choice {
        object.insert("maxProperties".into(), 1.into());
    }
    object
}

fn property(key: &KeyShape, definitions: &mut Map<String, Value>) -> Value {
    let mut schema = value(&key.shape, key.limits, definitions);
    let mut description = vec![sentence(key.doc)];
    description.extend(key.limits.map(|(low, high)| format!("From {low} to {high}.")));
    match key.fallback {
        Fallback::Required => {}
        Fallback::Explained(otherwise) => description.push(format!("Default: {otherwise}.")),
        Fallback::Value(default) => {
            // The defaults that are written with brackets and quotes are JSON as well as TOML.
            if let Ok(default) = serde_json::from_str(default) {
                schema.insert("default".into(), default);
            }
        }
    }
    schema.insert("description".into(), description.join(" ").into());
    Value::Object(schema)
}

fn value(shape: &Shape, limits: Option<(&str, &str)>, definitions: &mut Map<String, Value>) -> Map<String, Value> {
    let schema = match shape {
        Shape::Scalar(kind) => scalar(kind, limits),
        Shape::List(of) => json!({ "type": "array", "items": value(of, limits, definitions) }),
        Shape::Named(_, of) => json!({ "type": "object", "additionalProperties": value(of, limits, definitions) }),
        Shape::OrNone(of) => json!({ "anyOf": [{ "const": "none" }, value(of, limits, definitions)] }),
        Shape::Section(shape) => {
            if !definitions.contains_key(shape.name) {
                let definition = section(shape, definitions);
                definitions.insert(shape.name.to_owned(), Value::Object(definition));
            }
            json!({ "$ref": format!("#/$defs/{}", shape.name) })
        }
    };
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

fn scalar(kind: &Kind, limits: Option<(&str, &str)>) -> Value {
    let number = |json_type: &str| {
        let mut schema = json!({ "type": json_type });
        for (key, limit) in limits.map(|(low, high)| [("minimum", low), ("maximum", high)]).into_iter().flatten() {
            schema[key] = serde_json::from_str(limit).unwrap_or_default();
        }
        schema
    };
    match kind.json {
        Json::Text => json!({ "type": "string" }),
        Json::Pattern(pattern) => json!({ "type": "string", "pattern": pattern }),
        Json::Choice(words) => json!({ "enum": words }),
        Json::Integer => number("integer"),
        Json::Number => number("number"),
        Json::Boolean => json!({ "type": "boolean" }),
        Json::OneOf(numbers) => json!({ "enum": numbers }),
        Json::PatternOrInteger(pattern) => json!({ "type": ["string", "integer"], "pattern": pattern }),
        Json::TextOrTexts => json!({ "type": ["string", "array"], "items": { "type": "string" } }),
    }
}

/// A doc text on one line.
pub(super) fn sentence(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}
