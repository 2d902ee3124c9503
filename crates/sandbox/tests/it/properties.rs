//! What must hold for any input.

use adjoin_sandbox::protocol::{cursor, fields, jsonpath};
use proptest::prelude::*;
use serde_json::{Value, json};

fn field() -> impl Strategy<Value = fields::Field> {
    let leaf = ("[a-z_]{1,12}", proptest::collection::vec(("[a-z]{1,6}", "[a-z0-9_]{0,5}"), 0..3))
        .prop_map(|(name, modifiers)| fields::Field { name, modifiers, sub: None });
    leaf.prop_recursive(4, 24, 4, |inner| {
        (inner.clone(), proptest::collection::vec(inner, 0..4))
            .prop_map(|(field, sub)| fields::Field { sub: Some(sub), ..field })
    })
}

proptest! {
    #[test]
    fn any_text_parses_or_is_refused(text in ".{0,200}") {
        let _ = fields::parse(&text);
    }

    #[test]
    fn brackets_and_commas_parse_or_are_refused(text in "[a-c.,(){}\"\\\\ ]{0,60}") {
        if let Ok(list) = fields::parse(&text) {
            prop_assert_eq!(fields::parse(&fields::to_text(&list)).unwrap(), list);
        }
    }

    #[test]
    fn fields_survive_a_url(list in proptest::collection::vec(field(), 0..5)) {
        prop_assert_eq!(fields::parse(&fields::to_text(&list)).unwrap(), list);
    }

    #[test]
    fn cursors_come_back(key: u64) {
        let text = cursor::encode(key);
        prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric()));
        prop_assert_eq!(cursor::decode(&text), Some(key));
    }

    #[test]
    fn insights_cursors_come_back(index: usize) {
        prop_assert_eq!(cursor::decode_index(&cursor::encode_index(index)), Some(index));
    }

    #[test]
    fn foreign_cursors_are_refused(text in ".{0,120}") {
        prop_assert_eq!(cursor::decode(&text), None);
        let _ = cursor::decode_index(&text);
    }

    #[test]
    fn any_path_selects_or_is_refused(path in "\\$[a-z.*\\[\\]0-9'\"]{0,30}", n: u32) {
        let root: Value = json!({ "data": [{ "id": n }, { "id": "x" }], "a": { "b": null } });
        if let Some(values) = jsonpath::select(&root, &path) {
            let _ = jsonpath::text(&values);
        }
    }
}
