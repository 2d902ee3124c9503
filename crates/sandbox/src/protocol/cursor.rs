//! Paging cursors: opaque to clients, self-contained for us.
//!
//! Two looks, as recorded at Meta: object edges carry a long `AQH…` text, insights carry the row index. Both are
//! base64 with `Z` written `ZA` and `=` written `ZD`.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

const PREFIX: &str = "AQH";

/// The cursor of an object edge: `key` is the object's id, or the row index where rows have no ids.
pub fn encode(key: u64) -> String {
    let mut bytes = [0_u8; 47];
    let mut state = key ^ 0x5eed_ad70_1a5e_ed01;
    for byte in &mut bytes[16..] {
        *byte = mix(&mut state).to_le_bytes()[0];
    }
    let mut check = key;
    let check = mix(&mut check);
    bytes[..8].copy_from_slice(&check.to_le_bytes());
    bytes[8..16].copy_from_slice(&(key ^ check).to_le_bytes());
    escape(&STANDARD.encode(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))))
}

/// The key inside a cursor; `None` for anything that [`encode`] did not write.
pub fn decode(cursor: &str) -> Option<u64> {
    let text = String::from_utf8(STANDARD.decode(unescape(cursor)?).ok()?).ok()?;
    let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
    let (check, rest) = bytes.split_first_chunk::<8>()?;
    let (masked, _) = rest.split_first_chunk::<8>()?;
    let check = u64::from_le_bytes(*check);
    let key = u64::from_le_bytes(*masked) ^ check;
    let mut state = key;
    (mix(&mut state) == check).then_some(key)
}

/// The cursor of an insights row.
pub fn encode_index(index: usize) -> String {
    escape(&STANDARD.encode(index.to_string()))
}

/// The row index inside an insights cursor.
pub fn decode_index(cursor: &str) -> Option<usize> {
    String::from_utf8(STANDARD.decode(unescape(cursor)?).ok()?).ok()?.parse().ok()
}

fn escape(base64: &str) -> String {
    base64.replace('Z', "ZA").replace('=', "ZD")
}

fn unescape(cursor: &str) -> Option<String> {
    let mut out = String::with_capacity(cursor.len());
    let mut chars = cursor.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            'Z' => match chars.next()? {
                'A' => 'Z',
                'D' => '=',
                _ => return None,
            },
            other => other,
        });
    }
    Some(out)
}

/// SplitMix64: spreads a counter over all bits.
pub(crate) fn mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn insights_cursors_look_as_recorded() {
        assert_eq!(encode_index(0), "MAZDZD");
        assert_eq!(encode_index(1), "MQZDZD");
        assert_eq!(encode_index(23), "MjMZD");
        assert_eq!(decode_index("MjMZD"), Some(23));
    }

    #[test]
    fn object_cursors_hide_an_aqh_text() {
        let cursor = encode(120_230_000_000_000_001);
        assert!(!cursor.contains('='));
        let inner = String::from_utf8(STANDARD.decode(unescape(&cursor).unwrap()).unwrap()).unwrap();
        assert!(inner.starts_with("AQH") && inner.len() == 66, "{inner}");
        assert_eq!(decode(&cursor), Some(120_230_000_000_000_001));
        assert_eq!(decode("MAZDZD"), None);
    }
}
