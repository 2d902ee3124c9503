//! What is known of a customer, in the one form in which Meta compares it: the text that is hashed (SHA-256, lower-case
//! hex) before it is sent. Source: conversions-api/parameters/customer-information-parameters.

/// An e-mail address without blanks around it, in lower case. `None` when it is none.
pub fn email(text: &str) -> Option<String> {
    let email = text.trim().to_lowercase();
    let (name, domain) = email.split_once('@')?;
    let is_one = !name.is_empty() && domain.contains('.') && !email.contains(char::is_whitespace);
    is_one.then_some(email)
}

/// The digits of a phone number, country code first. `None` when the country code is not to be seen: without it the
/// number would be somebody else's.
pub fn phone(text: &str) -> Option<String> {
    let text = text.trim();
    let international = text.strip_prefix('+').or_else(|| text.strip_prefix("00"))?;
    let digits: String = international.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0');
    // E.164 allows 15 digits.
    (7..=15).contains(&digits.len()).then(|| digits.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emails_are_compared_in_lower_case() {
        assert_eq!(email("  John_Smith@gmail.com ").as_deref(), Some("john_smith@gmail.com"));
        assert_eq!(email("Mary@Example.com").as_deref(), Some("mary@example.com"));
        for no_email in ["", "mary", "@example.com", "mary@example", "mary ann@example.com"] {
            assert_eq!(email(no_email), None, "{no_email}");
        }
    }

    #[test]
    fn phones_are_digits_with_the_country_in_front() {
        for given in ["+1 (650) 555-1212", "+16505551212", "001 650 555 1212", " +1.650.555.1212"] {
            assert_eq!(phone(given).as_deref(), Some("16505551212"), "{given}");
        }
        assert_eq!(phone("+1 555 987 6543").as_deref(), Some("15559876543"));
        for unusable in ["", "(650) 555-1212", "0650 5551212", "+", "+123", "+12345678901234567", "abc"] {
            assert_eq!(phone(unusable), None, "{unusable}");
        }
    }
}
