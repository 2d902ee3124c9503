/// Bytes in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        hex.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or_default());
        hex.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or_default());
    }
    hex
}
