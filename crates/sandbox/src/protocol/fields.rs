//! The `fields` parameter: `name,adsets.limit(2).as(sets){id,ads{id}}`.

use std::fmt;

use super::{GraphError, Params};

/// Deeper nesting is refused: Meta stops far earlier, and a parser that recurses must stop somewhere.
const MAX_DEPTH: usize = 16;

/// One requested field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    /// `limit(2)`, `date_preset(last_7d)`, ... in the order given; `as` is among them.
    pub modifiers: Vec<(String, String)>,
    /// `None` asks for the default fields of what the field points to.
    pub sub: Option<Vec<Field>>,
}

impl Field {
    /// The key in the answer: the alias if one is given.
    pub fn key(&self) -> &str {
        self.modifiers.iter().rev().find(|(name, _)| name == "as").map_or(&self.name, |(_, alias)| alias)
    }

    pub fn plain(name: &str) -> Self {
        Self { name: name.to_owned(), modifiers: Vec::new(), sub: None }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for (name, argument) in &self.modifiers {
            write!(f, ".{name}({argument})")?;
        }
        if let Some(sub) = &self.sub {
            write!(f, "{{{}}}", to_text(sub))?;
        }
        Ok(())
    }
}

/// The list as it stands in a URL; parsing it gives the same list again.
pub fn to_text(fields: &[Field]) -> String {
    fields.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// Plain names, for default field sets.
pub fn plain<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<Field> {
    names.into_iter().map(Field::plain).collect()
}

/// The `fields` parameter as text or as a JSON array; `None` when absent or empty.
pub fn from_params(params: &Params) -> Result<Option<Vec<Field>>, GraphError> {
    let text = match params.json("fields") {
        Some(serde_json::Value::Array(items)) => {
            items.iter().filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(",")
        }
        _ => params.text("fields").unwrap_or_default(),
    };
    let fields = parse(&text)?;
    Ok((!fields.is_empty()).then_some(fields))
}

/// Parses a list of fields; an empty text is an empty list.
pub fn parse(text: &str) -> Result<Vec<Field>, GraphError> {
    let mut parser = Parser { text, at: 0 };
    let fields = parser.list(0)?;
    if parser.at < text.len() {
        return Err(parser.fault("Expected end of string instead of"));
    }
    Ok(fields)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn skip_space(&mut self) {
        while let Some(c) = self.peek().filter(|c| c.is_whitespace()) {
            self.at += c.len_utf8();
        }
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn fault(&self, what: &str) -> GraphError {
        let found = self.peek().map_or_else(|| "end of string".to_owned(), |c| format!("\"{c}\""));
        let position = self.text[..self.at].chars().count();
        GraphError::new(
            2500,
            format!("Syntax error \"{what} {found}.\" at character {position}: {}", self.text),
        )
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Field>, GraphError> {
        if depth > MAX_DEPTH {
            return Err(self.fault("Too many levels of fields before"));
        }
        let mut fields = Vec::new();
        loop {
            self.skip_space();
            // A comma too many is forgiven, as Meta forgives it.
            if self.eat(',') {
                continue;
            }
            if self.peek().is_none_or(|c| c == '}') {
                return Ok(fields);
            }
            fields.push(self.field(depth)?);
            self.skip_space();
            if !self.eat(',') {
                return Ok(fields);
            }
        }
    }

    fn field(&mut self, depth: usize) -> Result<Field, GraphError> {
        let name = self.name()?;
        let mut field = Field { name, modifiers: Vec::new(), sub: None };
        loop {
            self.skip_space();
            if self.eat('.') {
                let modifier = self.name()?;
                self.skip_space();
                if !self.eat('(') {
                    return Err(self.fault("Expected \"(\" instead of"));
                }
                field.modifiers.push((modifier, self.argument()?));
            } else if field.sub.is_none() && self.eat('{') {
                field.sub = Some(self.list(depth + 1)?);
                if !self.eat('}') {
                    return Err(self.fault("Expected \"}\" instead of"));
                }
            } else {
                return Ok(field);
            }
        }
    }

    fn name(&mut self) -> Result<String, GraphError> {
        self.skip_space();
        let rest = &self.text[self.at..];
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | ':' | '/')))
            .unwrap_or(rest.len());
        if end == 0 {
            return Err(self.fault("Expected a name instead of"));
        }
        self.at += end;
        Ok(rest[..end].to_owned())
    }

    /// Everything up to the closing bracket; brackets and quotes inside may nest.
    fn argument(&mut self) -> Result<String, GraphError> {
        let start = self.at;
        let mut open = 0_usize;
        let mut quoted = false;
        let mut escaped = false;
        while let Some(c) = self.peek() {
            match c {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                '(' | '[' | '{' if !quoted => open += 1,
                ')' if !quoted && open == 0 => {
                    let argument = self.text[start..self.at].trim().to_owned();
                    self.at += 1;
                    return Ok(argument);
                }
                ')' | ']' | '}' if !quoted => open = open.saturating_sub(1),
                _ => {}
            }
            self.at += c.len_utf8();
        }
        Err(self.fault("Expected \")\" instead of"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nests_with_modifiers_and_aliases() {
        let fields = parse(
            "name, adsets.limit(2).as(sets) { id , ads{id} },insights.time_range({\"since\":\"2026-01-01\"})",
        )
        .unwrap();
        assert_eq!(fields.len(), 3);
        assert_eq!(fields[1].key(), "sets");
        assert_eq!(fields[1].modifiers[0], ("limit".into(), "2".into()));
        assert_eq!(fields[1].sub.as_ref().unwrap()[1].sub.as_ref().unwrap()[0].name, "id");
        assert_eq!(fields[2].modifiers[0].1, "{\"since\":\"2026-01-01\"}");
        assert_eq!(parse(&to_text(&fields)).unwrap(), fields);
    }

    #[test]
    fn faults_name_the_place() {
        for text in ["name}", "a{b", "a.limit(2", "a.(2)", "a b", "{a}"] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.code, 2500, "{text}");
            assert!(error.message.contains("at character"), "{}", error.message);
        }
        assert!(parse(&format!("{}{}", "a{".repeat(100), "}".repeat(100))).is_err());
    }

    #[test]
    fn a_list_may_be_json() {
        let mut params = Params::default();
        params.0.insert("fields".into(), "[\"id\",\"name\"]".into());
        assert_eq!(from_params(&params).unwrap().unwrap(), plain(["id", "name"]));
    }
}
