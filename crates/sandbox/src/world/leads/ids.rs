//! Lead ids. They have fifteen to seventeen digits, some beyond what a double holds, as Meta's have; and an id leads to
//! its lead without a table, so that a million filled leads need no memory.

use crate::protocol::cursor::mix;

/// Every other lead has an id of fifteen digits, the others one of seventeen, beyond 2^53.
const BASES: [u64; 2] = [900_000_000_000_000, 55_459_000_000_000_000];
/// Ids are this far apart, so that those in between belong to no lead.
const STRIDE: u64 = 16;

/// The id of the lead that was made as number `serial` of its world.
pub fn id(seed: u64, serial: u64) -> u64 {
    BASES[usize::from(serial % 2 == 1)] + offset(seed) + serial / 2 * STRIDE + low(seed, serial)
}

/// Which lead an id would be; whether it was made is the caller's to know.
pub fn serial(seed: u64, id: u64) -> Option<u64> {
    let odd = u64::from(id >= BASES[1]);
    let above = id.checked_sub(BASES[usize::from(odd == 1)] + offset(seed))?;
    let serial = above / STRIDE * 2 + odd;
    (self::id(seed, serial) == id).then_some(serial)
}

fn offset(seed: u64) -> u64 {
    let mut state = seed;
    mix(&mut state) % 1_000_000_000 * STRIDE
}

fn low(seed: u64, serial: u64) -> u64 {
    let mut state = seed ^ serial;
    mix(&mut state) % STRIDE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_finds_its_lead_and_its_neighbours_find_none() {
        for serial in (0..1_000).chain([999_999, 1_000_000, 12_345_678]) {
            let id = id(7, serial);
            assert!((15..=17).contains(&id.to_string().len()), "{id}");
            assert_eq!(super::serial(7, id), Some(serial));
            assert!((1..4).all(|away| super::serial(7, id + away).is_none_or(|other| other != serial)));
        }
        assert!(id(7, 1) > 1 << 53);
        assert_eq!(super::serial(7, 42), None);
    }
}
