//! Damaged keystores: whatever is done to the bytes, the parsers end with a key or a sentence, never with a panic, and soon.
//! `KEYSTORE_MUTATIONS=100000 KEYSTORE_SEED=7` does more.

use std::{env, fs, path::Path};

use crate::{PASSWORD, open_with};

/// Mutations of each file, unless the environment says otherwise.
const MUTATIONS: u64 = 60;

fn number(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Changes, cuts, repeats or inserts a few bytes, most often near the beginning, where the structure is.
fn mutate(bytes: &mut Vec<u8>, rng: &mut fastrand::Rng) {
    for _ in 0..rng.usize(1..4) {
        let end = if rng.bool() { bytes.len().min(120) } else { bytes.len() };
        let at = rng.usize(0..end.max(1)).min(bytes.len().saturating_sub(1));
        match rng.u8(0..6) {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << rng.u8(0..8),
            2 => bytes[at] = rng.u8(..),
            3 => bytes[at] = *rng.choice(&[0, 1, 0x30, 0x7F, 0x80, 0x84, 0xFF]).unwrap_or(&0),
            4 => bytes.insert(at, rng.u8(..)),
            _ => {
                let until = rng.usize(at..bytes.len().min(at + 40) + 1).min(bytes.len());
                let piece = bytes[at..until].to_vec();
                bytes.splice(at..at, piece);
            }
        }
        if bytes.is_empty() {
            return;
        }
    }
}

#[test]
fn no_damage_makes_the_parsers_panic() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("keystores/corpus");
    let mut rng = fastrand::Rng::with_seed(number("KEYSTORE_SEED", 1));
    let (mut files, mut opened, mut refused) = (0, 0, 0);
    for entry in fs::read_dir(folder).expect("the corpus is committed").flatten() {
        files += 1;
        let whole = fs::read(entry.path()).expect("the corpus is committed");
        for _ in 0..number("KEYSTORE_MUTATIONS", MUTATIONS) {
            let mut bytes = whole.clone();
            mutate(&mut bytes, &mut rng);
            match open_with(&bytes, PASSWORD, None) {
                Ok(_) => opened += 1,
                Err(error) => {
                    refused += 1;
                    assert!(error.to_string().len() < 400, "{error}");
                }
            }
        }
    }
    assert!(files >= 6 && refused > 0, "{files} files, {opened} opened, {refused} refused");
}
