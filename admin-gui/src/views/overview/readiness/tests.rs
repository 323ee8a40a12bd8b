//! What is told of kits and keys.

use super::*;

fn report(items: Vec<HealthItem>) -> HealthReport {
    HealthReport::new(Timestamp::UNIX_EPOCH, items)
}

#[test]
fn the_worst_kit_is_named_and_the_good_ones_are_counted() {
    let told = report(vec![
        HealthItem::ok(KIT, "repository main", "proved 3 d ago"),
        HealthItem::at_risk(KIT, "repository nas", "none was proved", "Make one."),
    ]);
    let fact = of_items(&told, KIT, "Recovery kits");
    assert_eq!(fact.mark, Mark::Warn);
    assert_eq!(fact.side, "1 of 2");
    assert_eq!(fact.note, "nas: none was proved");
}

#[test]
fn what_was_never_told_is_unknown_and_not_good() {
    let fact = of_items(&report(Vec::new()), KIT, "Recovery kits");
    assert_eq!((fact.mark, fact.side.as_str()), (Mark::Unknown, ""));
}
