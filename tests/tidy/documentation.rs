//! Every item of the contract is documented: package, world, interfaces, types and functions of `wit/*.wit`. (Rust's own
//! `missing_docs` does the same for the crates.)

use super::sources::{PathText as _, Source};

/// Words that open an item, besides functions.
const ITEMS: [&str; 9] =
    ["package ", "world ", "interface ", "record ", "variant ", "enum ", "flags ", "resource ", "type "];

pub(crate) fn check(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    let contract = |source: &&Source| {
        source.path.has_extension("wit") && source.path.starts_with("wit/") && !source.path.starts_with("wit/deps/")
    };
    for source in sources.iter().filter(contract) {
        let mut documented = false;
        for (number, line) in source.text.lines().enumerate() {
            let line = line.trim();
            let is_item = ITEMS.iter().any(|word| line.starts_with(word)) || line.contains(": func(");
            if is_item && !line.starts_with("//") && !documented {
                findings.push(format!("{}:{}: no `///` above `{line}`", source.path, number + 1));
            }
            documented = line.starts_with("///");
        }
    }
    findings
}

#[test]
fn bare_items_are_found() {
    super::samples(
        check,
        &[
            ("wit/a.wit", "/// X.\ninterface a {\n    /// Does it.\n    b: func();\n}\n", ""),
            ("wit/a.wit", "/// X.\ninterface a {\n    b: func();\n}\n", "wit/a.wit:3"),
            ("wit/a.wit", "/// X.\n\nworld a {}\n", "wit/a.wit:3"),
            ("wit/a.wit", "/// X.\ninterface a {\n    record c { d: u8 }\n}\n", "`record c { d: u8 }`"),
            ("wit/deps/io/a.wit", "interface a {}\n", ""),
        ],
    );
}
