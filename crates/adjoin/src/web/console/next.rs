//! Where to go after sign-in: a page of ours, never another site.

/// A local path with its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next(String);

impl Next {
    /// `None` for whatever a browser might read as another host: `//host`, `/\host`, control characters.
    pub fn new(text: &str) -> Option<Self> {
        let local = text.starts_with('/')
            && !text[1..].starts_with(['/', '\\'])
            && text.bytes().all(|byte| byte.is_ascii_graphic())
            && text.len() <= 2000;
        local.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages() {
        assert_eq!(Next::new("/accounts?find=a").unwrap().as_str(), "/accounts?find=a");
        for wrong in
            ["", "accounts", "https://evil.example", "//evil.example", "/\\evil.example", "/a\r\nb", "/\t/x"]
        {
            assert_eq!(Next::new(wrong), None, "{wrong:?}");
        }
    }
}
