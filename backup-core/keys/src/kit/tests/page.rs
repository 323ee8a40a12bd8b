//! What a kit gives to people and to stock tools.

use std::process::Command;

use secrecy::{ExposeSecret as _, SecretString};

use super::world::{lines_of, manual, parse, world};
use crate::Identity;

#[test]
fn the_file_alone_gives_stock_tools_the_key_and_the_script() {
    let w = world();
    let dir = tempfile::tempdir().unwrap();
    let file = w.kit.to_text(manual(&[])).unwrap();
    let text = file.expose_secret();
    std::fs::write(dir.path().join("kit"), text).unwrap();
    std::fs::write(dir.path().join("epoch.age"), &w.key_file).unwrap();
    // The commands are those that the kit itself shows, with its own name in place.
    let step = |begins: &str| {
        let mut lines = text.lines().map(|line| line.trim_start_matches(['#', ' ']));
        let line = lines.find(|line| line.contains(begins)).unwrap();
        let command = line.trim_start_matches(|c: char| c.is_ascii_digit() || ". ".contains(c));
        command.replace("KIT", "kit").replace("REPO", "there")
    };
    let script = [
        step("sed -n 's"),
        step("sed -n '/^#!"),
        step("sh restore.sh list"),
    ]
    .join("\n");
    let run = format!("set -eu\n{script}\nage -d -i admin.key epoch.age");
    let output = Command::new("sh")
        .arg("-c")
        .arg(run)
        .current_dir(dir.path())
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    let (first, identity) = out.split_once('\n').unwrap_or_else(|| {
        panic!("stock age is needed (apt-get install age): {complaint}");
    });
    assert_eq!(first, format!("restored list there --trust {}", w.kit.root));
    let identity = Identity::from_file_text(&identity.into()).unwrap();
    assert_eq!(identity.recipient(), w.epoch.recipient);
}

/// Reads the QR code of an SVG picture of ours.
fn scan(svg: &str) -> String {
    let width: usize = svg
        .split_once("width=\"")
        .unwrap()
        .1
        .split_once('"')
        .unwrap()
        .0
        .parse()
        .unwrap();
    let path = svg
        .split_once(" d=\"")
        .unwrap()
        .1
        .split_once('"')
        .unwrap()
        .0;
    let mut dark = vec![false; width * width];
    for rectangle in path.split('M').skip(1) {
        let numbers: Vec<usize> = rectangle
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|number| number.parse().ok())
            .collect();
        let [x, y, w, h, ..] = numbers[..] else {
            panic!("not a rectangle: {rectangle}");
        };
        for row in y..y + h {
            dark[row * width + x..row * width + x + w].fill(true);
        }
    }
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, width, |x, y| {
        if dark[y * width + x] { 0 } else { 255 }
    });
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1);
    grids[0].decode().unwrap().1
}

#[test]
fn the_page_needs_nothing_else_and_its_codes_are_the_kit() {
    let mut w = world();
    w.kit
        .storage
        .extend((0..20).map(|n| SecretString::from(format!("note {n} of many"))));
    let page = w
        .kit
        .to_page(manual(&["backupctl restore <x>".into()]))
        .unwrap();
    let page = page.expose_secret();
    for outside in [
        "<script", "<link", "<img", "src=", "href=", "url(", "@import", "<x>",
    ] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("s3://vault/back ups &lt;&amp;é&gt;"));
    let scanned: String = page.split("<figure>").skip(1).map(scan).collect();
    assert!(page.matches("<figure>").count() > 1);
    assert_eq!(scanned, lines_of(&w.kit));
    parse(&scanned).unwrap();
}

#[test]
fn what_is_shown_to_anybody_holds_no_secret() {
    let w = world();
    let key = w.identity.to_file_text("x");
    let secret = key.expose_secret().lines().last().unwrap();
    let shown = scan(&w.kit.public_code().unwrap());
    assert_eq!(shown, w.kit.public_text());
    assert!(shown.contains(&w.kit.root.to_string()));
    for text in [shown, format!("{:?}", w.kit)] {
        assert!(
            !text.contains(secret) && !text.contains("hunter2"),
            "{text}"
        );
    }
}
