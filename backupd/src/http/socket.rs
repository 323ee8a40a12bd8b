//! The daemon's socket: a file that only its user and group can open, in a folder where nobody
//! else could put another one in its place.

use std::{
    fs, io,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use backup_model::{Code, Failure};
use tokio::net::{UnixListener, UnixStream};

/// Read and written by user and group.
const MODE: u32 = 0o660;

/// Listens at a path. What a dead daemon left there is replaced; a live one is not.
///
/// Two daemons that start at one moment on a dead one's socket are kept apart by the lock on
/// their state, not here.
pub(super) async fn listen(path: &Path) -> Result<UnixListener, Failure> {
    let refuse = |why: String| {
        let text = format!("cannot listen at {}", path.display());
        Failure {
            causes: vec![why],
            ..Failure::new(Code::Listen, text)
        }
    };
    check_folder(path).map_err(refuse)?;
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => (),
        Err(error) => return Err(refuse(error.to_string())),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(refuse("something that is no socket is there".to_owned()));
        }
        Ok(_) => match UnixStream::connect(path).await {
            Ok(_) => return Err(refuse("another daemon listens there".to_owned())),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                fs::remove_file(path).map_err(|error| refuse(error.to_string()))?;
            }
            Err(error) => return Err(refuse(error.to_string())),
        },
    }
    let listener = UnixListener::bind(path).map_err(|error| refuse(error.to_string()))?;
    fs::set_permissions(path, fs::Permissions::from_mode(MODE))
        .map_err(|error| refuse(error.to_string()))?;
    Ok(listener)
}

/// Whoever can write in the folder can put a socket of their own there, and be told secrets.
fn check_folder(path: &Path) -> Result<(), String> {
    let folder = path.parent().filter(|_| path.is_absolute());
    let folder = folder.ok_or("the path is not absolute")?;
    let found =
        fs::symlink_metadata(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let shown = folder.display();
    if !found.is_dir() {
        return Err(format!("{shown} is not a folder"));
    }
    let owner = found.uid();
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        return Err(format!("{shown} belongs to another user"));
    }
    if found.mode() & 0o022 != 0 {
        return Err(format!("others than its owner can write in {shown}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[tokio::test]
    async fn a_dead_daemons_socket_is_replaced_and_a_live_ones_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("api.sock");
        let first = listen(&path).await.unwrap();
        let mode = fs::metadata(&path).unwrap().mode() & 0o777;
        assert_eq!(mode, 0o660);
        let refused = listen(&path).await.unwrap_err();
        assert_eq!(refused.code, Code::Listen);
        assert_eq!(refused.causes, ["another daemon listens there"]);
        drop(first);
        assert!(path.exists());
        listen(&path).await.unwrap();
    }

    #[tokio::test]
    async fn what_others_could_replace_or_what_is_no_socket_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("api.sock");
        fs::write(&path, "precious").unwrap();
        assert_eq!(listen(&path).await.unwrap_err().code, Code::Listen);
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        let link = folder.path().join("link.sock");
        symlink(&path, &link).unwrap();
        assert_eq!(listen(&link).await.unwrap_err().code, Code::Listen);
        assert_eq!(
            listen(Path::new("api.sock")).await.unwrap_err().code,
            Code::Listen
        );
        let open = folder.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        let refused = listen(&open.join("api.sock")).await.unwrap_err();
        assert!(refused.causes[0].contains("can write"), "{refused:?}");
    }
}
