//! The table: what is done, who refuses it, and which object and rule everybody is told.

use futures::future::LocalBoxFuture;

use crate::{
    data,
    keeping::{self, Signed},
    roots, runs,
    stage::Stage,
    victim::{By, Seen, look, prune_at},
};

/// One attack.
struct Script {
    name: &'static str,
    /// Does it; whoever is refused in the course of it, says so.
    attack: for<'a> fn(&'a Stage, &'a mut Seen) -> LocalBoxFuture<'a, ()>,
    /// Who refuses: these and nobody else.
    by: &'static [By],
    /// What each of them names.
    object: fn(&Stage) -> String,
    /// What each of them says of it.
    rule: &'static str,
}

#[tokio::test]
async fn probe() {
    for script in scripts() {
        let stage = Stage::new().await;
        let object = (script.object)(&stage);
        let mut seen = Seen::default();
        (script.attack)(&stage, &mut seen).await;
        look(&stage, &mut seen).await;
        println!("== {} [{object}]", script.name);
        println!("{seen:#?}");
    }
}

fn scripts() -> Vec<Script> { use By::*; let _ = prune_at; 
    macro_rules! s { ($n:expr, $a:expr, $o:expr) => { Script { name: $n, attack: $a, by: &[Open], object: $o, rule: "" } } }
    vec![
    s!("forged pack", |s, _| Box::pin(data::forged_pack(s)), Stage::pack),
    s!("pack of nobody", |s, _| Box::pin(data::pack_of_nobody(s)), Stage::pack),
    s!("swapped", |s, _| Box::pin(data::swapped_pack(s)), Stage::pack),
    s!("recipe", |s, _| Box::pin(data::forged_recipe(s)), Stage::pack),
    s!("refs", |s, _| Box::pin(data::forged_refs(s)), Stage::pack),
    s!("stranger", |s, _| Box::pin(runs::by_stranger(s)), Stage::pack),
    s!("otherjob", |s, _| Box::pin(runs::by_other_job(s)), Stage::pack),
    s!("removed", |s, _| Box::pin(runs::by_removed(s)), Stage::pack),
    s!("expired", |s, x| Box::pin(runs::by_expired(s, x)), Stage::pack),
    s!("future", |s, x| Box::pin(runs::by_future(s, x)), Stage::pack),
    s!("moved job", |s, _| Box::pin(runs::moved_to_other_job(s)), Stage::pack),
    s!("moved seq", |s, _| Box::pin(runs::moved_to_other_number(s)), Stage::pack),
    s!("replayed", |s, _| Box::pin(runs::replayed(s)), Stage::pack),
    s!("replayed by writer", |s, _| Box::pin(runs::replayed_by_a_writer(s)), Stage::pack),
    s!("signed again", |s, _| Box::pin(runs::signed_again(s)), Stage::pack),
    s!("newest", |s, _| Box::pin(runs::newest_deleted(s)), Stage::pack),
    s!("middle", |s, _| Box::pin(runs::middle_deleted(s)), Stage::pack),
    s!("fence unsigned", |s, _| Box::pin(runs::fence_unsigned(s)), Stage::pack),
    s!("fence role", |s, _| Box::pin(runs::fence_of_wrong_role(s)), Stage::pack),
    s!("format", |s, _| Box::pin(roots::format_changed(s)), Stage::pack),
    s!("settings", |s, _| Box::pin(roots::settings_changed(s)), Stage::pack),
    s!("other root", |s, _| Box::pin(roots::other_root(s)), Stage::pack),
    s!("trust deleted", |s, _| Box::pin(roots::newest_trust_deleted(s)), Stage::pack),
    s!("old trust", |s, _| Box::pin(roots::old_trust_over_new(s)), Stage::pack),
    s!("trust other root", |s, _| Box::pin(roots::trust_of_other_root(s)), Stage::pack),
    s!("trust by writer", |s, _| Box::pin(roots::trust_by_a_writer(s)), Stage::pack),
    s!("forget no", |s, _| Box::pin(keeping::forget(s, Signed::No)), Stage::pack),
    s!("forget str", |s, _| Box::pin(keeping::forget(s, Signed::Stranger)), Stage::pack),
    s!("forget wr", |s, _| Box::pin(keeping::forget(s, Signed::Writer)), Stage::pack),
    s!("plan no", |s, _| Box::pin(keeping::plan(s, Signed::No)), Stage::pack),
    s!("plan wr", |s, _| Box::pin(keeping::plan(s, Signed::Writer)), Stage::pack),
    s!("final no", |s, _| Box::pin(keeping::last(s, Signed::No)), Stage::pack),
    s!("final wr", |s, _| Box::pin(keeping::last(s, Signed::Writer)), Stage::pack),
    s!("done no", |s, _| Box::pin(keeping::done(s, Signed::No)), Stage::pack),
    s!("done wr", |s, _| Box::pin(keeping::done(s, Signed::Writer)), Stage::pack),
    s!("put back", |s, _| Box::pin(keeping::put_back(s)), Stage::pack),
    ]
}
