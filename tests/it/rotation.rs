//! A secret that is rotated on disk: the running process takes it over at the next login, and makes no login that could not
//! fare better than the last (fault card, F31).

use std::{fs, path::Path};

use crate::{
    judge::judge,
    org::{self, Org},
    process::PATIENCE,
    scene::{PUSH_TOPIC, Scene},
};

fn write(path: &Path, password: &str) {
    fs::write(path, format!("password={password}\n")).expect("the folder is ours");
}

/// A scenario whose password is in a file, and the file.
fn scene(org: &Org) -> (Scene, std::path::PathBuf) {
    let scene = Scene::new(org, "leads").worker("config.providers", "file");
    let scene =
        scene.worker("config.providers.file.class", "org.apache.kafka.common.config.provider.FileConfigProvider");
    let secrets = scene.path("secrets.properties");
    write(&secrets, org::PASSWORD);
    let folder = secrets.parent().expect("it is in the folder").to_string_lossy().into_owned();
    let reference = format!("${{file:{}:password}}", secrets.display());
    let scene = scene.worker("config.providers.file.param.allowed.paths", &folder);
    (scene.with("salesforce.password", &reference), secrets)
}

#[test]
fn a_password_that_was_rotated_before_it_is_needed_costs_one_refusal() {
    let org = Org::start();
    let (scene, secrets) = scene(&org);
    let run = scene.run_until_subscribed();
    org.create_leads(3);
    scene.tail("leads", 3);
    write(&secrets, org::WRONG_PASSWORD);
    // Not wrong any more.
    org.set_password(org::WRONG_PASSWORD);
    org.create_leads(3);
    run.expect_line(&["a secret that it references has changed"]);
    scene.tail("leads", 6);
    org.create_leads(3);
    scene.tail("leads", 9);
    run.terminate().0.expect_code(0);
    assert_eq!(org.logins_refused(), 1);
    judge(&org.expected(PUSH_TOPIC, "Lead"), &scene.log("leads")).expect_exact();
}

#[test]
fn a_password_that_is_rotated_later_is_waited_for_without_another_login() {
    let org = Org::start();
    let (scene, secrets) = scene(&org);
    let run = scene.run_until_subscribed();
    org.create_leads(3);
    scene.tail("leads", 3);
    run.expect_line(&["committed"]);
    org.set_password(org::WRONG_PASSWORD);
    org.create_leads(3);
    run.expect_line(&["waits up to", "invalid_grant"]);
    // Written again with the same content: nothing new.
    write(&secrets, org::PASSWORD);
    write(&secrets, org::WRONG_PASSWORD);
    scene.tail("leads", 6);
    run.terminate().0.expect_code(0);
    assert_eq!(org.logins_refused(), 1);
    judge(&org.expected(PUSH_TOPIC, "Lead"), &scene.log("leads")).expect_exact();
}

#[test]
fn a_secret_that_never_worked_and_does_not_change_fails_at_once() {
    let org = Org::start();
    let (scene, secrets) = scene(&org);
    write(&secrets, org::WRONG_PASSWORD);
    scene.run().wait(PATIENCE).expect_code(1).expect_said(&["FAILED", "invalid_grant"]);
    assert_eq!(org.logins_refused(), 1);
}

#[test]
fn a_file_outside_the_allowed_folders_is_not_read() {
    let org = Org::start();
    let (scene, _) = scene(&org);
    let scene = scene.with("salesforce.password", "${file:/etc/hostname:password}");
    scene.run().wait(PATIENCE).expect_code(2).expect_said(&["/etc/hostname", "allowed.paths"]);
    assert_eq!(org.logins(), 0);
}
