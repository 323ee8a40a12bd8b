//! Trusting more hosts than the first.

use backup_core::{format::layout, store::Store};
use backup_keys::{PublicKey, Record, TrustRecord};

use crate::support::{World, job};

/// Trusts these too, with all that the first host may do.
pub(crate) async fn admit(world: &World, store: &Store, hosts: &[(&str, &PublicKey)]) {
    let repository = world.open(store).await.unwrap();
    let bytes = store.get(&layout::trust(1)).await.unwrap();
    let first = Record::parse(&bytes, repository.id(), &layout::trust(1)).unwrap();
    let mut trust: TrustRecord = first.open(world.root.public()).unwrap();
    trust.version = 2;
    trust.prev = first.digest();
    for (name, key) in hosts {
        let mut writer = trust.writers[0].clone();
        writer.name = job(name);
        writer.key = (*key).clone();
        trust.writers.push(writer);
    }
    let object = layout::trust(2);
    let bytes = Record::sign(&trust, repository.id(), &object, &world.root).unwrap();
    store.put_new(&object, bytes.into()).await.unwrap();
}
