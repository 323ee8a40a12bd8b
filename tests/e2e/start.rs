//! A daemon that does not start: it says what is wrong and what to do, to people and to machines.

use std::fs;

use serde_json::Value;

use crate::{
    program::{Ran, clean},
    world::World,
};

fn start(world: &World, config: &str, format: &str) -> Ran {
    let mut command = clean(&world.program().with_file_name("backupd"));
    command.args([
        "run",
        "--log-format",
        format,
        "--config",
        &world.path(config),
    ]);
    Ran::of(command)
}

fn lines(ran: &Ran) -> Vec<Value> {
    let lines = ran.stderr.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect()
}

#[test]
fn without_a_configuration() {
    let world = World::new();
    let ran = start(&world, "none.toml", "text").expect(18);
    for words in [
        "there is no configuration at ",
        "none.toml",
        "E-CONFIG-MISSING",
        "name another with --config",
    ] {
        assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
    }
    let ran = start(&world, "none.toml", "json").expect(18);
    let [line] = &lines(&ran)[..] else {
        panic!("{}", ran.stderr);
    };
    assert_eq!(line["code"], "E-CONFIG-MISSING");
    assert!(line["hint"].is_string(), "{line}");
}

#[test]
fn with_a_wrong_configuration() {
    let world = World::new();
    let path = world.path("config.toml");
    let config = fs::read_to_string(&path).unwrap();
    let wrong = config
        .replace("paths = ", "pathes = ")
        .replace("password = {", "password = \"geheim\" #");
    fs::write(&path, wrong).unwrap();
    let ran = start(&world, "config.toml", "text").expect(18);
    for words in [
        "config.toml:",
        "pathes = ",
        "did you mean `paths`?",
        "holds a secret in clear",
        "the configuration has 3 problems",
        "backupctl config check",
    ] {
        let said = ran.stderr.to_lowercase();
        assert!(said.contains(words), "{words}: {}", ran.stderr);
    }
    assert!(!ran.stderr.contains("geheim"), "{}", ran.stderr);

    let ran = start(&world, "config.toml", "json").expect(18);
    let lines = lines(&ran);
    let (end, problems) = lines.split_last().unwrap();
    assert_eq!(end["code"], "E-CONFIG");
    assert!(end["hint"].is_string(), "{end}");
    assert_eq!(problems.len(), 3, "{}", ran.stderr);
    let unknown = problems
        .iter()
        .find(|it| it["msg"] == "unknown key `pathes`");
    let unknown = unknown.unwrap_or_else(|| panic!("{}", ran.stderr));
    assert!(
        unknown["line"].is_u64() && unknown["column"].is_u64(),
        "{unknown}"
    );
    assert_eq!(unknown["file"], path.as_str());
    assert_eq!(unknown["hint"], "Did you mean `paths`?");
    assert!(!ran.stderr.contains("geheim"), "{}", ran.stderr);
}
