//! From configured paths to roots that do not overlap.

use std::path::{Component, Path, PathBuf};

use super::FilesError;

/// Roots in the order of the archive, and what lies within them and cannot be had that way.
#[derive(Debug)]
pub(super) struct Roots {
    pub(super) outer: Vec<PathBuf>,
    /// Configured paths within another root.
    pub(super) inner: Vec<(PathBuf, PathBuf)>,
}

/// Checks, sorts, and takes out what another root covers already.
pub(super) fn plan(configured: &[PathBuf]) -> Result<Roots, FilesError> {
    let mut paths = configured
        .iter()
        .map(|path| plain(path))
        .collect::<Result<Vec<_>, _>>()?;
    // A path's own order: part by part, as the walk goes. That of the bytes would put `/a-b`
    // before `/a/x`.
    paths.sort();
    paths.dedup();
    let outer_of = |path: &PathBuf| {
        let covers = |other: &&PathBuf| *other != path && path.starts_with(other);
        paths.iter().find(covers).cloned()
    };
    let mut roots = Roots {
        outer: Vec::new(),
        inner: Vec::new(),
    };
    for path in &paths {
        match outer_of(path) {
            Some(outer) => roots.inner.push((outer, path.clone())),
            None => roots.outer.push(path.clone()),
        }
    }
    Ok(roots)
}

/// The first reason why walking `outer` does not reach `inner`.
pub(super) fn unreached(outer: &Path, inner: &Path) -> Option<String> {
    let mut folders: Vec<&Path> = inner.ancestors().take_while(|at| *at != outer).collect();
    folders.reverse();
    let last = folders.pop()?;
    for folder in std::iter::once(outer).chain(folders) {
        match folder.symlink_metadata() {
            Ok(facts) if facts.is_symlink() => {
                return Some(format!("lies behind the link `{}`", folder.display()));
            }
            Ok(_) => {}
            Err(error) => return Some(error.to_string()),
        }
    }
    match last.symlink_metadata() {
        Ok(facts) if facts.is_symlink() => Some(LINK.to_owned()),
        Ok(_) => None,
        Err(error) => Some(error.to_string()),
    }
}

/// What is said of a root that is a link.
pub(super) const LINK: &str = "is a symbolic link: what it points to is not included";

fn plain(path: &Path) -> Result<PathBuf, FilesError> {
    let wrong = || FilesError::Root {
        path: path.to_owned(),
    };
    if !path.is_absolute() {
        return Err(wrong());
    }
    path.components()
        .map(|part| match part {
            Component::ParentDir | Component::Prefix(_) => Err(wrong()),
            Component::RootDir | Component::CurDir | Component::Normal(_) => Ok(part),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_roots_are_walked_once_in_one_order() {
        let paths = ["/srv/b", "/srv/a-b", "/srv/a/x", "/srv/a/", "/srv/./a"];
        let roots = plan(&paths.map(PathBuf::from)).unwrap();
        let outer = ["/srv/a", "/srv/a-b", "/srv/b"].map(PathBuf::from);
        assert_eq!(roots.outer, outer);
        assert_eq!(roots.inner, [("/srv/a".into(), "/srv/a/x".into())]);
        let apart = ["/srv/a-b", "/srv/a/x", "/srv/a.c/y"].map(PathBuf::from);
        let ordered = ["/srv/a/x", "/srv/a-b", "/srv/a.c/y"].map(PathBuf::from);
        assert_eq!(plan(&apart).unwrap().outer, ordered);
        for bad in ["srv", "", "/srv/../etc"] {
            assert!(plan(&[PathBuf::from(bad)]).is_err(), "{bad}");
        }
    }
}
