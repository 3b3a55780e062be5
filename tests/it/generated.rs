//! Tables that are generated from the program stand in the documentation between markers, and are the newest:
//!
//! ```text
//! <!-- tributary describe --markdown -->
//! ...
//! <!-- end -->
//! ```
//!
//! The marker is the command that prints what stands behind it.

use std::{fs, path::Path};

use crate::process::{self, Tributary};

/// Pages that may have such tables.
const PAGES: [&str; 2] = ["README.md", "docs/transforms.md"];

const OPEN: &str = "<!-- tributary ";
const CLOSE: &str = "<!-- end -->";

/// The tables of a page: the command's arguments, and what stands there.
fn tables(page: &str) -> Vec<(Vec<&str>, &str)> {
    let mut tables = Vec::new();
    for piece in page.split(OPEN).skip(1) {
        let (command, rest) = piece.split_once(" -->\n").expect("a marker ends on its line");
        let (table, _) = rest.split_once(CLOSE).expect("a table has an end");
        tables.push((command.split(' ').collect(), table.trim()));
    }
    tables
}

#[test]
fn generated_tables_are_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let component = process::component().to_string_lossy().into_owned();
    let mut checked = 0;
    for page in PAGES {
        let text = fs::read_to_string(root.join(page)).unwrap_or_else(|error| panic!("{page}: {error}"));
        for (mut arguments, table) in tables(&text) {
            let command = arguments.join(" ");
            arguments.extend(["--component", &component]);
            let finished = Tributary::run(&arguments);
            finished.expect_code(0);
            assert_eq!(table, finished.stdout.trim(), "{page}: put the output of `tributary {command}` there");
            checked += 1;
        }
    }
    assert!(checked > 0, "no page has a generated table");
}

#[test]
fn tables_are_found() {
    let page = format!("# A\n{OPEN}describe -->\n\n| a |\n\n{CLOSE}\nb\n{OPEN}x --y -->\n{CLOSE}\n");
    assert_eq!(tables(&page), [(vec!["describe"], "| a |"), (vec!["x", "--y"], "")]);
    assert!(tables("# A\n").is_empty());
}
