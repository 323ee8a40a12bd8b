//! The keys of the story: four who can read, one host that writes, a second epoch since October.

use backup_model::{AdministratorInfo, EpochInfo, KeysReport, KitInfo, WriterInfo};
use jiff::Timestamp;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

const FIRST: &str = "2026-08-13T09:00:00Z";
const SECOND: &str = "2026-10-02T15:20:00Z";

/// The public side of a repository's keys.
pub(crate) fn keys(repository: &str) -> KeysReport {
    let administrator = |name: &str, kind: &str, recipient: &str, tested: &str| {
        let late = name == "ben";
        AdministratorInfo {
            name: name.to_owned(),
            kind: kind.to_owned(),
            recipient: Some(recipient.to_owned()),
            added: at(if late { SECOND } else { FIRST }),
            opens: if late { vec![2] } else { vec![1, 2] },
            tested: Some(tested).filter(|day| !day.is_empty()).map(at),
        }
    };
    let (anna, ben) = (
        "age1yubikey1qvtz8k4l0m3d9n5c7y2x6w8e4r0t1u3i5o7p9a2sw7k2",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2k9Qm4xV7sT1bY6nR8cLhT9q",
    );
    let (host, paper) = (
        "age1m4xq0d8z5c2v7b9n3k6j1h4g0f8s5a2p7o9i3u6y1t4r0e8wqs3n8",
        "age1qyqszd6x3c9v2b5n8m1k4j7h0g3f6d9s2a5p8o1i4u7y0t3rr7c0p",
    );
    let mut administrators = vec![
        administrator("anna", "plugin", anna, "2026-11-04T10:12:00Z"),
        administrator("ben", "ssh", ben, ""),
        administrator("verify01", "x25519", host, "2026-11-19T03:30:00Z"),
        administrator("recovery", "x25519", paper, "2026-08-13T09:40:00Z"),
    ];
    if repository == "nas" {
        administrators.retain(|it| it.tested.is_some());
    }
    let epoch = |number, recipient: &str, created| EpochInfo {
        number,
        recipient: recipient.to_owned(),
        created: at(created),
    };
    KeysReport {
        repository: repository.to_owned(),
        trust: 3,
        administrators,
        epochs: vec![
            epoch(
                1,
                "age1w9k2c5v8b1n4m7x0z3l6k9j2h5g8f1d4s7a0q3p6o9ur5t8e",
                FIRST,
            ),
            epoch(
                2,
                "age1e3r6t9y2u5i8o1p4a7s0d3f6g9h2j5k8l1z4x7c0v3bn6m9q",
                SECOND,
            ),
        ],
        writers: vec![WriterInfo {
            name: "vault01".to_owned(),
            key: "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3".to_owned(),
            roles: vec!["write".to_owned(), "maintain".to_owned()],
            jobs: None,
            from: at(FIRST),
            until: None,
            removed: None,
        }],
        kit: KitInfo {
            at_risk: false,
            standing: "proved".to_owned(),
            proved: Some(at(FIRST)),
            until: Some(at("2027-08-13T09:00:00Z")),
        },
    }
}
