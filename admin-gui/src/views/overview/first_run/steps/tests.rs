//! Which steps are ticked.

use backup_model::ConfiguredRepository;
use jiff::Timestamp;

use super::*;

#[test]
fn a_step_is_ticked_only_by_what_the_server_says() {
    assert!(!repository(None, None).done);
    let told = ConfigurationReport {
        repositories: vec![ConfiguredRepository {
            name: "main".to_owned(),
            url: "file:///srv/backup".to_owned(),
            trust: None,
        }],
        jobs: Vec::new(),
    };
    assert!(repository(Some(&told), None).done);
    let of = |item| HealthReport::new(Timestamp::UNIX_EPOCH, vec![item]);
    let none = HealthItem::at_risk("recovery-kit", "repository main", "none", "Make one.");
    assert!(!kit(None).done && !kit(Some(&of(none))).done);
    let proved = HealthItem::ok("recovery-kit", "repository main", "proved");
    assert!(kit(Some(&of(proved))).done);
    assert!(!job(None).done && !backup(None).done);
}

#[test]
fn nothing_can_be_restored_before_there_is_a_snapshot() {
    let step = restore(None, false);
    assert_eq!(step.action, None);
    assert!(!step.done);
    assert!(restore(None, true).done);
}
