//! The order in which a `java.util.HashMap` with texts as keys gives its entries back. Connect rebuilds schemaless maps as
//! HashMaps, and JSON shows the order.

/// Puts entries into the order in which a HashMap yields them that was filled with them one by one.
pub fn sort_as_hash_map<T>(entries: &mut [T], key: impl Fn(&T) -> &str) {
    let mut buckets = 16_usize;
    // A table grows when it is more than three quarters full.
    while entries.len() * 4 > buckets * 3 {
        buckets *= 2;
    }
    // Entries of one bucket stay in the order in which they came.
    entries.sort_by_key(|entry| bucket(key(entry), buckets));
}

fn bucket(key: &str, buckets: usize) -> usize {
    let hash = key.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
    (hash ^ (hash >> 16)) as usize & (buckets - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The orders are a JVM's.
    #[test]
    fn the_order_is_that_of_java() {
        let mut few = ["timestamp", "Id", "Name", "banana", "apple"];
        sort_as_hash_map(&mut few, |key| key);
        assert_eq!(few, ["banana", "apple", "Id", "timestamp", "Name"]);
    }
}
