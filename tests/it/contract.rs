//! What the built component may reach and what it offers: its imports and exports, compared with the committed list in
//! `contract.txt` for equality (`docs/architecture.md`, "The contract"). A new line there is a new power of the
//! component, and wants a reason.

use std::fs;

use wit_component::DecodedWasm;

use crate::process;

/// One line for each interface: direction and name.
fn lines(bytes: &[u8]) -> Vec<String> {
    let decoded = wit_component::decode(bytes).expect("the component has a type");
    let DecodedWasm::Component(resolve, world) = decoded else { panic!("a WIT package, not a component") };
    let world = &resolve.worlds[world];
    let imports = world.imports.keys().map(|key| format!("import {}", resolve.name_world_key(key)));
    let exports = world.exports.keys().map(|key| format!("export {}", resolve.name_world_key(key)));
    let mut lines: Vec<String> = imports.chain(exports).collect();
    lines.sort();
    lines
}

#[test]
fn the_component_imports_and_exports_what_is_agreed_and_nothing_else() {
    let bytes = fs::read(process::component()).expect("the component can be read");
    let agreed: Vec<&str> = include_str!("contract.txt").lines().filter(|line| !line.starts_with('#')).collect();
    let built = lines(&bytes);
    let added: Vec<_> = built.iter().filter(|line| !agreed.contains(&line.as_str())).collect();
    let gone: Vec<_> = agreed.iter().filter(|line| !built.iter().any(|built| built == *line)).collect();
    assert!(added.is_empty() && gone.is_empty(), "in the component only: {added:#?}\nin contract.txt only: {gone:#?}");
}
