//! Whether what came back equals what was stored, by means that are nobody's who is measured.

use std::path::Path;

use crate::{error::BenchError, program::Runner, server::Server};

/// A line for each table: its name, the number of its rows, a sum over their text. Statements,
/// since a table's name cannot be a parameter.
const TABLES: &str = "select format('select %L || '' '' || count(*) || '' '' || \
     coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) from %s as t', name, name) \
     from (select quote_ident(schemaname) || '.' || quote_ident(tablename) as name \
     from pg_tables where schemaname = 'public') as names order by name";

/// Everything else that is restored.
const OTHERS: &str = "
    select 'sequence', sequencename, last_value::text from pg_sequences
    union all select 'large object', oid::text, md5(lo_get(oid)) from pg_largeobject_metadata
    union all select 'index', indexname, indexdef from pg_indexes where schemaname = 'public'
    union all select 'constraint', conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid)
        from pg_constraint where connamespace = 'public'::regnamespace
    union all select 'view', viewname, definition from pg_views where schemaname = 'public'
    union all select 'matview', matviewname, definition from pg_matviews
    order by 1, 2, 3";

/// Compares two databases of a server; gives how many rows they have.
pub(crate) fn databases(server: &Server, one: &str, other: &str) -> Result<u64, BenchError> {
    let (one_has, other_has) = (contents(server, one)?, contents(server, other)?);
    if let Some((one_line, other_line)) = first_difference(&one_has, &other_has) {
        return Err(BenchError::Wrong(format!(
            "databases {one} and {other} differ:\n{one_line}\n{other_line}"
        )));
    }
    let rows = one_has.lines().take_while(|line| line.contains("public."));
    Ok(rows
        .filter_map(|line| line.split(' ').nth(1)?.parse::<u64>().ok())
        .sum())
}

fn contents(server: &Server, database: &str) -> Result<String, BenchError> {
    let statements = server.query(database, TABLES)?;
    let all: Vec<&str> = statements.lines().collect();
    // One spelling of values, and one order however many work on it.
    let sums = format!(
        "set timezone = 'UTC'; set extra_float_digits = 3; {} order by 1",
        all.join(" union all ")
    );
    Ok(server.query(database, &sums)? + &server.query(database, OTHERS)?)
}

fn first_difference<'a>(one: &'a str, other: &'a str) -> Option<(&'a str, &'a str)> {
    let (mut ones, mut others) = (one.lines(), other.lines());
    loop {
        match (ones.next(), others.next()) {
            (None, None) => return None,
            (one, other) if one == other => {}
            (one, other) => return Some((one.unwrap_or("nothing"), other.unwrap_or("nothing"))),
        }
    }
}

/// Compares two folders byte by byte, and names, types, modes and times.
pub(crate) fn folders(runner: &Runner, one: &Path, other: &Path) -> Result<(), BenchError> {
    let mut diff = runner.command("sh");
    // What differs is said where a failed program is heard.
    diff.args(["-c", "exec diff -rq --no-dereference \"$0\" \"$1\" >&2"]);
    diff.arg(one).arg(other);
    runner.run(vec![diff])?;
    let facts = |folder: &Path| {
        let mut find = runner.command("find");
        find.arg(folder)
            .args(["-mindepth", "1", "-printf", "%P %y %m %T@ %l\\n"]);
        let sort = runner.command("sort");
        runner.read(vec![find, sort])
    };
    let (one, other) = (facts(one)?, facts(other)?);
    match first_difference(&one, &other) {
        None => Ok(()),
        Some((one, other)) => Err(BenchError::Wrong(format!("files differ:\n{one}\n{other}"))),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use super::*;

    #[test]
    fn a_difference_is_found_wherever_it_is() {
        assert_eq!(first_difference("a\nb", "a\nb"), None);
        assert_eq!(first_difference("a\nb", "a\nc"), Some(("b", "c")));
        assert_eq!(first_difference("a", "a\nc"), Some(("nothing", "c")));
    }

    #[test]
    fn folders_that_differ_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let runner = Runner {
            home: folder.path().to_owned(),
            limit: Duration::from_secs(20),
        };
        let [one, other] = ["one", "other"].map(|name| {
            let path = folder.path().join(name);
            fs::create_dir(&path).unwrap();
            let file = fs::File::create(path.join("file")).unwrap();
            file.set_modified(std::time::UNIX_EPOCH).unwrap();
            path
        });
        folders(&runner, &one, &other).unwrap();
        let file = fs::File::options().append(true).open(other.join("file"));
        file.unwrap()
            .set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1))
            .unwrap();
        assert!(folders(&runner, &one, &other).is_err());
        fs::write(one.join("file"), "x").unwrap();
        assert!(folders(&runner, &one, &other).is_err());
    }
}
