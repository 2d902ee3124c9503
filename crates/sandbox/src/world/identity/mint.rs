use aws_lc_rs::{hmac, rand};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// A 64-bit number written in base 62.
const NUMBER_LENGTH: usize = 11;

/// Makes token strings, codes and ids. The same seed makes the same strings in the same order.
#[derive(Debug, Clone, Default)]
pub struct Minter {
    pub seed: u64,
    count: u64,
}

impl Minter {
    pub fn new(seed: u64) -> Self {
        Self { seed, count: 0 }
    }

    /// A token in Meta's look, and the serial under which derived tokens refer to it.
    pub fn token(&mut self) -> (u64, String) {
        let serial = self.next();
        (serial, format!("EAA{}", self.stream(&format!("token/{serial}"), 184)))
    }

    /// A page token names its page and the token it was derived from, and proves that this world made it.
    pub fn page_token(&self, serial: u64, page_id: u64) -> String {
        let proof = self.stream(&format!("page/{serial}/{page_id}"), 160);
        format!("EAA{}{}{proof}", number(page_id), number(serial))
    }

    /// Serial and page id of a page token that this world made.
    pub fn read_page_token(&self, token: &str) -> Option<(u64, u64)> {
        let body = token.strip_prefix("EAA")?;
        let page_id = parse_number(body.get(..NUMBER_LENGTH)?)?;
        let serial = parse_number(body.get(NUMBER_LENGTH..2 * NUMBER_LENGTH)?)?;
        (self.page_token(serial, page_id) == token).then_some((serial, page_id))
    }

    /// An authorization code in Meta's look.
    pub fn code(&mut self) -> String {
        let serial = self.next();
        format!("AQ{}", self.stream(&format!("code/{serial}"), 200))
    }

    /// A numeric id of 15 digits that starts with `prefix`.
    pub fn id(&mut self, prefix: &str) -> String {
        let serial = self.next();
        let digits = self.bytes(&format!("id/{serial}")).map(|b| char::from(b'0' + b % 10));
        prefix.chars().chain(digits).take(15).collect()
    }

    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    fn stream(&self, label: &str, length: usize) -> String {
        self.bytes(label)
            .map(|b| char::from(ALPHABET[usize::from(b) % ALPHABET.len()]))
            .take(length)
            .collect()
    }

    fn bytes(&self, label: &str) -> impl Iterator<Item = u8> + use<> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.seed.to_be_bytes());
        let label = label.to_owned();
        (0_u32..)
            .flat_map(move |block| hmac::sign(&key, format!("{label}/{block}").as_bytes()).as_ref().to_vec())
    }
}

/// An id that nobody can guess: what guards a consent page must not follow from the seed.
pub fn random_id() -> String {
    let mut bytes = [0; 24];
    rand::fill(&mut bytes).expect("the system's random source works");
    bytes.iter().map(|b| char::from(ALPHABET[usize::from(*b) % ALPHABET.len()])).collect()
}

fn number(mut value: u64) -> String {
    let mut digits = [b'0'; NUMBER_LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(value % 62) as usize];
        value /= 62;
    }
    digits.iter().map(|d| char::from(*d)).collect()
}

fn parse_number(text: &str) -> Option<u64> {
    text.bytes().try_fold(0_u64, |value, byte| {
        let digit = ALPHABET.iter().position(|c| *c == byte)?;
        value.checked_mul(62)?.checked_add(digit as u64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_distinct_and_repeatable() {
        let (mut first, mut second) = (Minter::new(7), Minter::new(7));
        let (_, a) = first.token();
        let (_, b) = first.token();
        assert_ne!(a, b);
        assert!(a.starts_with("EAA") && a.len() > 100);
        assert_eq!(second.token().1, a);
        assert_ne!(Minter::new(8).token().1, a);
    }

    #[test]
    fn a_page_token_is_read_back_and_a_changed_one_is_not() {
        let minter = Minter::new(1);
        let token = minter.page_token(42, u64::MAX);
        assert_eq!(minter.read_page_token(&token), Some((42, u64::MAX)));
        assert_eq!(minter.read_page_token(&format!("{token}x")), None);
        assert_eq!(Minter::new(2).read_page_token(&token), None);
        assert_eq!(minter.read_page_token("EAAé"), None);
    }

    #[test]
    fn ids_are_fifteen_digits() {
        let id = Minter::new(1).id("61");
        assert!(id.len() == 15 && id.starts_with("61") && id.bytes().all(|b| b.is_ascii_digit()));
    }
}
