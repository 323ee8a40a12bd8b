//! Which steps are ticked.

use backup_model::ConfiguredRepository;
use jiff::Timestamp;

use super::*;

#[test]
fn a_step_is_ticked_only_by_what_the_server_says() {
    let done = |steps: Vec<Step>| steps.iter().map(|step| step.done).collect::<Vec<_>>();
    assert_eq!(done(steps(None, None)), [false; 4]);
    let told = ConfigurationReport {
        repositories: vec![ConfiguredRepository {
            name: "main".to_owned(),
            url: "file:///srv/backup".to_owned(),
            trust: None,
        }],
        jobs: Vec::new(),
    };
    let of = |item| HealthReport::new(Timestamp::UNIX_EPOCH, vec![item]);
    let none = of(HealthItem::at_risk(
        "recovery-kit",
        "repository main",
        "none",
        "Make one.",
    ));
    assert_eq!(
        done(steps(Some(&told), Some(&none))),
        [true, false, false, false]
    );
    let proved = of(HealthItem::ok("recovery-kit", "repository main", "proved"));
    assert_eq!(
        done(steps(Some(&told), Some(&proved))),
        [true, true, false, false]
    );
}
