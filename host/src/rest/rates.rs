//! How often one address may ask.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use crate::bucket::Bucket;

/// Addresses that are remembered.
const ADDRESSES_MAX: usize = 10_000;

/// See the module.
pub(super) struct Rates {
    /// 0 for no bound.
    per_second: u32,
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

impl Rates {
    pub(super) fn new(per_second: u32) -> Self {
        Self { per_second, buckets: Mutex::default() }
    }

    /// Whether the address may ask now.
    pub(super) fn allow(&self, address: IpAddr, now: Instant) -> bool {
        if self.per_second == 0 {
            return true;
        }
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= ADDRESSES_MAX && !buckets.contains_key(&address) {
            buckets.retain(|_, bucket| !bucket.is_full(now));
            if buckets.len() >= ADDRESSES_MAX {
                return false;
            }
        }
        buckets.entry(address).or_insert_with(|| Bucket::full(self.per_second, self.per_second, now)).take(now)
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, time::Duration};

    use super::*;

    fn address(number: u32) -> IpAddr {
        Ipv4Addr::from_bits(number).into()
    }

    #[test]
    fn each_address_has_its_own_bound() {
        let (rates, start) = (Rates::new(2), Instant::now());
        let asked: Vec<bool> = [1, 1, 1, 2].map(|number| rates.allow(address(number), start)).into();
        assert_eq!(asked, [true, true, false, true]);
        assert!(rates.allow(address(1), start + Duration::from_millis(500)));
        assert!((0..1_000).all(|_| Rates::new(0).allow(address(1), start)));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (rates, start) = (Rates::new(1), Instant::now());
        let addresses = u32::try_from(ADDRESSES_MAX).unwrap_or(u32::MAX);
        assert!((0..addresses).all(|number| rates.allow(address(number), start)));
        assert!(!rates.allow(address(addresses), start));
        assert!(rates.allow(address(addresses), start + Duration::from_secs(1)));
        assert_eq!(rates.buckets.lock().map(|buckets| buckets.len()).unwrap_or_default(), 1);
    }
}
