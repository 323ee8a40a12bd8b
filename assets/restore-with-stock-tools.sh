#!/bin/sh
# Reads a backupd repository with Debian's own programs and nothing of ours:
# age, zstd, minisign, sha256sum and python3 (its standard library, for JSON and slicing).
#
# It is the proof that a backup outlives the program that made it, and the way out when that
# program is not at hand. What is stored is described in doc/format.md of backup-core.
#
# The order is always the same, and nothing is used before it was checked:
#   root key -> repository.json -> trust/ -> snapshots/ -> epoch key -> recipe -> packs -> stream
set -eu
umask 077
LC_ALL=C
export LC_ALL

usage() {
    cat <<'TEXT'
Reads a backupd repository in a local folder with age, zstd, minisign, sha256sum and python3.

  restore-with-stock-tools.sh list    REPO TRUST
  restore-with-stock-tools.sh streams REPO JOB/NUMBER TRUST IDENTITY
  restore-with-stock-tools.sh restore REPO JOB/NUMBER STREAM TRUST IDENTITY --to FILE

TRUST is one of
  --trust RW...        the repository's root public key, from the recovery kit or configuration
  --trust-any          believe the key that the repository itself names, and print it
IDENTITY is one of
  --identity FILE      an administrator's age identity (or SSH key)
  --passphrase         for an administrator who has a passphrase only; age asks for it
Also
  --work DIR           where to put working files (default: TMPDIR, else /tmp). Private, removed
                       at the end. Needs room for one unpacked pack (320 MiB at most) and lists
  --to FILE            the file to make; it must not exist

A repository in a bucket must be copied to a local folder first (for example with rclone).

Exit: 0 done, 2 usage, 3 done with warnings, 4 damaged, 8 a program is missing, 9 not trusted,
10 no repository, 12 wrong identity, 15 no space, 16 no such snapshot or stream, 17 the target
exists, 1 anything else.
TEXT
}

# fail STATUS PROBLEM [NEXT STEP]
fail() {
    printf 'error: %s\n' "$2" >&2
    [ $# -lt 3 ] || printf '  next: %s\n' "$3" >&2
    exit "$1"
}

warn() {
    printf 'warning: %s\n' "$1" >&2
}

misused() {
    fail 2 "$1" "restore-with-stock-tools.sh --help"
}

# ---------------------------------------------------------------------------------------------
# Command line
# ---------------------------------------------------------------------------------------------

parse_arguments() {
    command='' repository='' snapshot='' stream='' words=0
    trust='' trust_any=no identity='' passphrase=no target='' work_parent=${TMPDIR:-/tmp}
    while [ $# -gt 0 ]; do
        case $1 in
        --help | -h)
            usage
            exit 0
            ;;
        --trust | --identity | --to | --work)
            if [ $# -lt 2 ] || [ -z "$2" ]; then misused "$1 needs a value"; fi
            case $1 in
            --trust) trust=$2 ;;
            --identity) identity=$2 ;;
            --to) target=$2 ;;
            --work) work_parent=$2 ;;
            esac
            shift
            ;;
        --trust-any) trust_any=yes ;;
        --passphrase) passphrase=yes ;;
        -*) misused "unknown option $1" ;;
        *)
            words=$((words + 1))
            case $words in
            1) command=$1 ;;
            2) repository=$1 ;;
            3) snapshot=$1 ;;
            4) stream=$1 ;;
            *) misused "one argument too many: $1" ;;
            esac
            ;;
        esac
        shift
    done
}

check_arguments() {
    case $command in
    list) wanted=2 ;;
    streams) wanted=3 ;;
    restore) wanted=4 ;;
    '') misused "what to do is missing: list, streams or restore" ;;
    *) misused "unknown command $command: it is list, streams or restore" ;;
    esac
    [ "$words" -eq "$wanted" ] || misused "$command wants $((wanted - 1)) argument(s) after its name, not $((words - 1))"

    if [ -n "$trust" ]; then
        [ "$trust_any" = no ] || misused "--trust and --trust-any exclude each other"
        case $trust in
        RW*) [ ${#trust} -eq 56 ] || misused "--trust: a public key has 56 characters, this has ${#trust}" ;;
        *) misused "--trust: a public key starts with RW" ;;
        esac
    elif [ "$trust_any" = no ]; then
        fail 9 "no root key given, so nothing says that this repository is yours" \
            "give --trust RW... (from the recovery kit), or --trust-any to believe the key it names itself"
    fi

    [ "$command" != list ] || return 0
    job=${snapshot%/*} number=${snapshot##*/}
    case $snapshot in */*/* | /* | */) misused "$snapshot is not a snapshot: JOB/NUMBER, as list shows" ;; */*) ;; *)
        misused "$snapshot is not a snapshot: JOB/NUMBER, as list shows" ;;
    esac
    case $number in *[!0-9]*) misused "$number is not a number: JOB/NUMBER, as list shows" ;; esac
    if [ "$passphrase" = yes ]; then
        [ -z "$identity" ] || misused "--identity and --passphrase exclude each other"
    else
        [ -n "$identity" ] || fail 12 "no identity given, and the data is encrypted" \
            "give --identity FILE, or --passphrase"
        [ -r "$identity" ] || fail 12 "identity $identity: cannot be read" "check the path and who may read it"
    fi

    [ "$command" = restore ] || return 0
    [ -n "$target" ] || misused "restore wants --to FILE"
    for path in "$target" "$target.partial"; do
        if [ -e "$path" ] || [ -L "$path" ]; then
            fail 17 "$path: exists, and is not overwritten" "name another file, or move this one away"
        fi
    done
    target_folder=$(dirname -- "$target")
    [ -d "$target_folder" ] || fail 1 "$target_folder: is not a folder" "make it first"
}

# Debian's package of each program, so that the line can be pasted as it is.
need_programs() {
    packages=''
    for program in age age-keygen zstd minisign sha256sum python3; do
        command -v "$program" >/dev/null 2>&1 && continue
        case $program in
        age-keygen) package=age ;;
        sha256sum) package=coreutils ;;
        *) package=$program ;;
        esac
        case " $packages " in *" $package "*) ;; *) packages="$packages $package" ;; esac
        warn "$program is not installed"
    done
    [ -z "$packages" ] || fail 8 "programs are missing" "apt-get install$packages"
}

# ---------------------------------------------------------------------------------------------
# The working folder: the epoch's key is in it for a while, so it is private and always removed.
# ---------------------------------------------------------------------------------------------

work='' partial=''

clean_up() {
    [ -z "$partial" ] || rm -f -- "$partial"
    [ -z "$work" ] || rm -rf -- "$work"
}

make_work() {
    [ -d "$work_parent" ] || fail 1 "$work_parent: is not a folder, so there is no place to work" "name one with --work"
    trap clean_up EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    work=$(mktemp -d "$work_parent/restore-with-stock-tools.XXXXXXXX") ||
        fail 1 "$work_parent: no working folder can be made there" "name another with --work"
    mkdir "$work/records" "$work/inline"
    write_reader
}

# Everything that is parsed, is parsed here. It only reads and compares: signatures, decryption
# and decompression are the stock programs' work, called from the functions below.
# Messages and exit codes are those of `fail`.
read_json() {
    python3 -I "$work/read.py" "$work" "$@"
}

write_reader() {
    cat >"$work/read.py" <<'PYTHON'
import base64, hashlib, json, os, re, sys

WORK = sys.argv[1]
NUMBER_MAX = 2**53
LINE_MAX = 1 << 20
KEYS = {
    "repository": "type format repository created root pack_bytes block_bytes",
    "trust": "type repository version prev created administrators epochs writers",
    "commit": "type repository job seq prev nonce epoch trust created recipe refs packs bytes"
              " added_packs added_bytes kinds complete audit",
    "aborted": "type repository job seq prev nonce created reason",
    "fence": "type repository job seq prev nonce created",
}
JOB = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")
DIGEST = re.compile(r"[0-9a-f]{64}\Z")


class Refused(Exception):
    def __init__(self, status, text, then=None):
        super().__init__(text)
        self.status, self.then = status, then


def work(*parts):
    return os.path.join(WORK, *parts)


def whole(value, least=0):
    return type(value) is int and least <= value < NUMBER_MAX


def parse(data):
    """JSON without the liberties that would let one text be read in two ways."""
    def no_twins(pairs):
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a key stands twice")
        return found

    def no_number(text):
        raise ValueError("%s is not a whole number" % text)
    return json.loads(data.decode("utf-8"), object_pairs_hook=no_twins,
                      parse_float=no_number, parse_constant=no_number)


# Records -----------------------------------------------------------------------------------

def take_record(path, key, repository, name):
    """Splits a record into what minisign wants: records/<name> and records/<name>.minisig.

    Later steps read these copies, so what was verified is what is used. Returns the parsed
    first line and its digest; raises ValueError when this is no record or stands elsewhere
    than where it was signed for."""
    with open(path, "rb") as file:
        data = file.read(LINE_MAX + 1)
    if len(data) > LINE_MAX:
        raise ValueError("is larger than 1 MiB")
    lines = data.split(b"\n")
    if len(lines) != 6 or lines[5]:
        raise ValueError("is not five lines")
    if lines[1] != b"untrusted comment: backupd record":
        raise ValueError("is not a record of backupd")
    value = parse(lines[0])
    again = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    if again != lines[0]:
        raise ValueError("is not written in the one spelling that is signed")
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in KEYS or list(value) != KEYS[kind].split():
        raise ValueError("has an unknown type or other keys than its type has")
    # The repository's id is read from repository.json itself, which the root key signs.
    repository = repository or value["repository"]
    if value["repository"] != repository:
        raise ValueError("belongs to repository %s" % value["repository"])
    comment = b"trusted comment: " + ("%s %s" % (repository, key)).encode()
    if lines[3] != comment:
        raise ValueError("was signed for another place: " + lines[3].decode("utf-8", "replace"))
    with open(work("records", name), "wb") as file:
        file.write(lines[0] + b"\n")
    with open(work("records", name + ".minisig"), "wb") as file:
        file.write(b"\n".join(lines[1:]))
    return value, hashlib.sha256(lines[0] + b"\n").hexdigest()


def stored(name):
    """A record whose signature holds by now, and its digest."""
    with open(work("records", name), "rb") as file:
        line = file.read()
    return parse(line[:-1]), hashlib.sha256(line).hexdigest()


def numbered(folder, spelling):
    """The numbers of the records in a folder, and the names that are none."""
    found, foreign = [], []
    for name in sorted(os.listdir(folder) if os.path.isdir(folder) else []):
        match = re.match(r"([0-9]+)\.json\Z", name)
        if match and int(match[1]) >= 1 and name == spelling % int(match[1]) + ".json":
            found.append(int(match[1]))
        elif "#" not in name:  # staged files of interrupted puts are nobody's concern
            foreign.append(name)
    return sorted(found), foreign


def repository_record(repository):
    key = "repository.json"
    try:
        value, _ = take_record(os.path.join(repository, key), key, None, "repository")
        if value["type"] != "repository":
            raise ValueError("is of type %s" % value["type"])
    except (ValueError, OSError) as error:
        raise Refused(9, "%s: %s" % (key, error), "is this the repository's folder? else fetch it anew")
    if value["format"] != 0:
        raise Refused(9, "%s: the repository has format %s, this script reads 0" % (key, value["format"]),
                      "use the script that came with the newer backupd")
    print(value["repository"], value["root"])


def trust_records(repository):
    """Checks everything about trust/ but the signatures; prints the versions."""
    base, before = stored("repository")
    versions, foreign = numbered(os.path.join(repository, "trust"), "%d")
    for name in foreign:
        print("warning: trust/%s: is not an object of a repository; left alone" % name, file=sys.stderr)
    again = "fetch trust/ anew; without the whole chain nothing says whose signatures count"
    if not versions:
        raise Refused(9, "trust/1.json: is missing", again)
    for version in range(1, versions[-1] + 1):
        key = "trust/%d.json" % version
        if version not in versions:
            raise Refused(9, "%s: is missing, but a later version is there" % key, again)
        try:
            value, digest = take_record(os.path.join(repository, key), key, base["repository"],
                                        "trust-%d" % version)
            if value["type"] != "trust" or value["version"] != version:
                raise ValueError("is not version %d of trust" % version)
            if value["prev"] != before:
                raise ValueError("does not follow from the version before")
        except (ValueError, OSError) as error:
            raise Refused(9, "%s: %s" % (key, error), again)
        before = digest
    for version in range(1, versions[-1] + 1):
        print(version)


def trusted():
    """The highest trust record; `trust_records` wrote it last."""
    names = [name for name in os.listdir(work("records")) if re.match(r"trust-[0-9]+\Z", name)]
    return stored(max(names, key=lambda name: int(name[6:])))[0]


# Snapshots ---------------------------------------------------------------------------------

def may_sign(writer, record):
    """May this writer sign this record? Times decide nothing, only roles, jobs and removal."""
    roles = ("write", "maintain") if record["type"] == "fence" else ("write",)
    if not any(role in writer["roles"] for role in roles):
        return False
    if writer["jobs"] is not None and record["job"] not in writer["jobs"]:
        return False
    if writer["removed"] is None:
        return True
    return any(last["job"] == record["job"] and record["seq"] <= last["seq"]
               for last in writer["removed"]["last"])


def snapshot_records(repository, only):
    """Parses the snapshots of one job (or '-', all). Prints, a line each, `<n> <key>…`: the keys
    that may have signed record n. What cannot be read is kept for `judge` to tell."""
    trust = trusted()
    folder = os.path.join(repository, "snapshots")
    if only == "-":
        jobs = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    else:
        jobs = [only]
    table = []
    for job in jobs:
        if not JOB.match(job):
            print("warning: snapshots/%s: is not an object of a repository; left alone" % job, file=sys.stderr)
            continue
        numbers, foreign = numbered(os.path.join(folder, job), "%06d")
        for name in foreign:
            print("warning: snapshots/%s/%s: is not an object of a repository; left alone" % (job, name),
                  file=sys.stderr)
        for seq in numbers:
            n = len(table)
            key = "snapshots/%s/%06d.json" % (job, seq)
            row = {"key": key, "job": job, "seq": seq, "problem": None, "digest": None}
            table.append(row)
            try:
                value, row["digest"] = take_record(os.path.join(repository, key), key,
                                                   trust["repository"], "snapshot-%d" % n)
                if value["type"] not in ("commit", "aborted", "fence"):
                    raise ValueError("is of type %s" % value["type"])
                if (value["job"], value["seq"]) != (job, seq):
                    raise ValueError("is about %s/%s" % (value["job"], value["seq"]))
                with open(work("records", "snapshot-%d.minisig" % n), "rb") as file:
                    signer = base64.b64decode(file.read().split(b"\n")[1])[2:10]
                keys = [writer["key"] for writer in trust["writers"]
                        if may_sign(writer, value) and base64.b64decode(writer["key"])[2:10] == signer]
                if not keys:
                    raise ValueError("no writer that trust names may have signed it")
                print(n, *keys)
            except (ValueError, OSError) as error:
                row["problem"] = str(error)
    with open(work("snapshots.json"), "w") as file:
        json.dump(table, file)


def judge():
    """Joins the parsed records with the signatures that held, and walks each job's chain."""
    with open(work("snapshots.json")) as file:
        table = json.load(file)
    with open(work("verified")) as file:
        signed = dict(line.split() for line in file)
    trust = trusted()
    before = None
    for n, row in enumerate(table):
        row["value"] = row["gap"] = None
        if row["problem"] is None and str(n) not in signed:
            row["problem"] = "its signature does not hold"
        if row["problem"] is None:
            row["value"] = stored("snapshot-%d" % n)[0]
        first = before is None or before["job"] != row["job"]
        if not first and row["seq"] != before["seq"] + 1:
            row["gap"] = "%s/%06d: is missing, %s/%06d is there" % (
                row["job"], before["seq"] + 1, row["job"], row["seq"])
        elif first and row["seq"] != 1:
            row["gap"] = "%s: starts with number %06d; the ones before are not there" % (row["job"], row["seq"])
        elif row["value"] and (first or before["digest"]):
            if row["value"]["prev"] != (None if first else before["digest"]):
                row["problem"] = "does not follow from the record before"
        if row["value"]:
            for writer in trust["writers"]:
                # A removed writer's last record is pinned by digest, and by `prev` all before it.
                for last in (writer["removed"] or {"last": []})["last"]:
                    if (last["job"], last["seq"]) == (row["job"], row["seq"]) \
                            and writer["key"] == signed[str(n)] and last["sha256"] != row["digest"]:
                        row["problem"] = "is not the record accepted from removed writer %s" % writer["name"]
            if row["value"].get("trust", 0) > trust["version"]:
                row["problem"] = "was made under trust/%d.json, which is missing" % row["value"]["trust"]
        if row["problem"]:
            row["value"] = None
        before = row
    return table


def ending(value):
    if value["type"] != "commit":
        return value["type"]
    return "commit" if value["complete"] else "partial"


def list_snapshots():
    rows, bad = [("SNAPSHOT", "CREATED", "END", "KINDS", "PACKS", "BYTES")], False
    for row in judge():
        name, value = "%s/%06d" % (row["job"], row["seq"]), row["value"]
        for problem in filter(None, (row["gap"], row["problem"] and "%s: %s" % (row["key"], row["problem"]))):
            bad = True
            print("error: " + problem, file=sys.stderr)
        if value is None:
            rows.append((name, "-", "DAMAGED", "-", "-", "-"))
        elif value["type"] == "commit":
            rows.append((name, value["created"], ending(value), ",".join(value["kinds"]) or "-",
                         str(value["packs"]), str(value["bytes"])))
        else:
            rows.append((name, value["created"], ending(value), "-", "-", "-"))
    widths = [max(len(row[i]) for row in rows) for i in range(6)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    if bad:
        raise Refused(4, "the list is not whole, see above",
                      "fetch the named records anew from the store or a copy; the snapshots shown can be restored")


def choose(job, number):
    """One snapshot. Trouble elsewhere in the chain is told, but does not stand in the way of a
    restore: this record's own signature is what its data hangs on."""
    seq, rows = int(number), judge()
    mine = [row for row in rows if row["seq"] == seq]
    if not mine:
        known = ["%s/%06d" % (job, row["seq"]) for row in rows if row["value"] and row["value"]["type"] == "commit"]
        raise Refused(16, "%s/%06d: there is no such snapshot" % (job, seq),
                      "the newest of this job is %s" % known[-1] if known else "run list to see what there is")
    row, value = mine[0], mine[0]["value"]
    if value is None:
        raise Refused(4, "%s: %s" % (row["key"], row["problem"]), "fetch it anew, or restore another snapshot")
    if value["type"] != "commit":
        raise Refused(16, "%s/%06d: this run ended as %s and has no data" % (job, seq, value["type"]),
                      "run list and choose one that ended in commit")
    with open(work("warnings"), "a") as file:
        for other in rows:
            for problem in filter(None, (other["gap"], other["problem"] and other["key"] + ": " + other["problem"])):
                file.write(problem + "\n")
        if not value["complete"]:
            file.write("%s/%06d is partial: something could not be read when it was made\n" % (job, seq))
    with open(work("commit.json"), "w") as file:
        json.dump(value, file)
    print(value["epoch"], value["recipe"]["sha256"], value["recipe"]["size"])


def epoch_keys(number):
    """Prints the epoch's recipient, then `<kind> <size> <sha256> <path>` of every listed key."""
    trust = trusted()
    epochs = [epoch for epoch in trust["epochs"] if epoch["number"] == int(number)]
    if not epochs:
        raise Refused(4, "trust/%d.json: does not name epoch %s of this snapshot" % (trust["version"], number))
    kinds = {admin["name"]: admin["kind"] for admin in trust["administrators"]}
    print(epochs[0]["recipient"])
    for key in epochs[0]["keys"]:
        if not JOB.match(key["administrator"]) or not DIGEST.match(key["sha256"]):
            raise Refused(9, "trust/%d.json: names a key file that cannot be" % trust["version"])
        print(kinds.get(key["administrator"], "unknown"), key["size"], key["sha256"],
              "keys/%s/%s-%d.age" % (number, key["administrator"], key["number"]))


# Recipes -----------------------------------------------------------------------------------

def recipe():
    """Reads the recipe line by line and lays it out for the later steps: packs, streams, and
    each list that stands in the recipe itself as inline/<stream>.<extents|entries>."""
    with open(work("commit.json")) as file:
        commit = json.load(file)
    names = set()
    with open(work("recipe"), "rb") as lines, open(work("packs"), "w") as packs, \
            open(work("streams"), "w") as streams:
        def line():
            data = lines.readline(LINE_MAX + 1)
            if len(data) > LINE_MAX or not data.endswith(b"\n"):
                raise ValueError("a line is cut or too long")
            return data

        head = parse(line())
        if head.get("type") != "recipe" or any(
                head.get(key) != commit[key] for key in ("repository", "job", "seq", "nonce", "epoch")):
            raise ValueError("its head is not this snapshot's")
        for _ in range(head["packs"]):
            pack = parse(line())
            if pack.get("type") != "pack" or not DIGEST.match(pack["sha256"]) \
                    or not whole(pack["size"], 1) or not whole(pack["plain"], 1):
                raise ValueError("a pack's line is wrong")
            packs.write("%s %d %d\n" % (pack["sha256"], pack["size"], pack["plain"]))
        for number in range(head["streams"]):
            stream = parse(line())
            if stream.get("type") != "stream" or stream["number"] != number \
                    or not whole(stream["length"]) or not DIGEST.match(stream["digest"]):
                raise ValueError("the line of stream %d is wrong" % number)
            name = stream["name"]
            if not 1 <= len(name.encode()) <= 128 or re.search(r"[/\x00-\x1f\x7f-\x9f]", name) or name in names:
                raise ValueError("stream %d has no proper name" % number)
            names.add(name)
            for part in ("extents", "entries"):
                reference = stream[part]
                if reference is None and part == "entries":
                    continue
                if reference["stream"] is None:
                    with open(work("inline", "%d.%s" % (number, part)), "wb") as file:
                        for _ in range(reference["count"]):
                            file.write(line())
            streams.write(json.dumps(stream) + "\n")
        if lines.read(1):
            raise ValueError("there is more in it than its head says")


def all_streams():
    with open(work("streams")) as file:
        return [json.loads(line) for line in file]


def show_streams():
    rows = [(s["kind"], str(s["length"]), s["name"]) for s in all_streams() if s["kind"] != "list"]
    rows.insert(0, ("KIND", "LENGTH", "NAME"))  # the name last: it may have spaces
    for kind, length, name in rows:
        print("%-8s  %14s  %s" % (kind, length, name))


def find_stream(name):
    """Prints number, kind and length, then the numbers of the list streams that it refers to."""
    streams = all_streams()
    found = [s for s in streams if s["name"] == name]
    if not found:
        raise Refused(16, "%s: the snapshot has no such stream" % name,
                      "it has: " + ", ".join(s["name"] for s in streams if s["kind"] != "list"))
    stream = found[0]
    print(stream["number"], stream["kind"], stream["length"])
    for part in ("extents", "entries"):
        number = (stream[part] or {"stream": None})["stream"]
        if number is None:
            continue
        if not whole(number) or number >= len(streams) or streams[number]["kind"] != "list" \
                or streams[number]["extents"]["stream"] is not None:
            raise ValueError("the %s of %s refer to a stream that holds no list" % (part, name))
        print(number)


def list_lines(stream, part):
    """The lines of a list, from the recipe or from the list stream assembled before."""
    reference, number = stream[part], stream["number"]
    if reference["stream"] is None:
        path = work("inline", "%d.%s" % (number, part))
    else:
        path = work("list.%d" % reference["stream"])
    count = 0
    with open(path, "rb") as file:
        while True:
            line = file.readline(LINE_MAX + 1)
            if not line:
                break
            if len(line) > LINE_MAX or not line.endswith(b"\n"):
                raise ValueError("the %s of %s: a line is cut or too long" % (part, stream["name"]))
            count += 1
            yield parse(line)
    if count != reference["count"]:
        raise ValueError("the %s of %s: %d lines instead of %d" % (part, stream["name"], count, reference["count"]))


def pack_table():
    with open(work("packs")) as file:
        return [(sha256, int(size), int(plain)) for sha256, size, plain in map(str.split, file)]


def pieces(number):
    """Prints `<pack> <offset> <length> <position in the stream>` of every extent."""
    stream, packs, position = all_streams()[int(number)], pack_table(), 0
    for extent in list_lines(stream, "extents"):
        if len(extent) != 3 or not all(map(whole, extent)) or extent[0] >= len(packs) or extent[2] == 0 \
                or extent[1] + extent[2] > packs[extent[0]][2]:
            raise ValueError("the extents of %s: %s lies in no pack" % (stream["name"], extent))
        print(*extent, position)
        position += extent[2]
    if position != stream["length"]:
        raise ValueError("the extents of %s give %d bytes instead of %d" % (stream["name"], position, stream["length"]))


def split_pieces():
    """Reads pieces sorted by pack; makes pieces/<pack>; prints `<pack> <sha256> <size> <plain>`."""
    packs, current, file = pack_table(), None, None
    for line in sys.stdin:
        pack, rest = line.split(" ", 1)
        if pack != current:
            if file:
                file.close()
            current, file = pack, open(work("pieces", pack), "w")
            print(pack, *packs[int(pack)])
        file.write(rest)
    if file:
        file.close()


def copy_pieces(pack, target):
    """Puts every piece of the unpacked pack where it belongs in the target."""
    with open(work("pieces", pack)) as lines, open(work("pack"), "rb") as source, \
            open(target, "r+b") as out:
        for offset, length, position in (map(int, line.split()) for line in lines):
            source.seek(offset)
            out.seek(position)
            while length:
                data = source.read(min(length, 1 << 20))
                if not data:
                    raise ValueError("pack %s ends too early" % pack)
                out.write(data)
                length -= len(data)


def check_stream(number, path):
    """Length and digest of an assembled stream. A `files` stream is checked entry by entry."""
    stream = all_streams()[int(number)]
    name, total = stream["name"], hashlib.sha256()
    if os.path.getsize(path) != stream["length"]:
        raise ValueError("%s: %d bytes instead of %d" % (name, os.path.getsize(path), stream["length"]))

    def feed(file, hasher, length):
        while length:
            data = file.read(min(length, 1 << 20))
            if not data:
                raise ValueError("%s: its entries are longer than it" % name)
            hasher.update(data)
            length -= len(data)

    with open(path, "rb") as file:
        if stream["kind"] == "files":
            for entry in list_lines(stream, "entries"):
                part = hashlib.sha256()
                feed(file, part, entry["length"])
                if part.hexdigest() != entry["sha256"]:
                    raise ValueError("%s: entry %s has another digest" % (
                        name, entry.get("path") or entry.get("path_hex") or entry["kind"]))
                total.update(part.digest())
            if file.tell() != stream["length"]:
                raise ValueError("%s: its entries are shorter than it" % name)
        else:
            feed(file, total, stream["length"])
    if total.hexdigest() != stream["digest"]:
        raise ValueError("%s: its digest is not the recorded one" % name)


def space(folder, needed):
    """Is there room for so many bytes?"""
    room = os.statvfs(folder)
    free = room.f_bavail * room.f_frsize
    if free < int(needed):
        raise Refused(15, "%s: %d MiB are free, %d MiB are needed" % (folder, free >> 20, (int(needed) >> 20) + 1),
                      "make room, or choose another place with --to (the result) or --work (working files)")


def largest(*_):
    print(max([plain for _, _, plain in pack_table()] or [0]))


COMMANDS = {function.__name__: function for function in (
    repository_record, trust_records, snapshot_records, list_snapshots, choose, epoch_keys, recipe,
    show_streams, find_stream, pieces, split_pieces, copy_pieces, check_stream, space, largest)}

try:
    COMMANDS[sys.argv[2]](*sys.argv[3:])
    sys.stdout.flush()
except Refused as refused:
    print("error: %s" % refused, file=sys.stderr)
    if refused.then:
        print("  next: %s" % refused.then, file=sys.stderr)
    sys.exit(refused.status)
except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
    # Whatever does not have the shape that format.md gives it, is damaged.
    text = str(error) if type(error) is ValueError else "%s: %s" % (type(error).__name__, error)
    print("error: %s: %s" % (sys.argv[2].replace("_", " "), text), file=sys.stderr)
    print("  next: fetch the repository's objects anew, or try another snapshot", file=sys.stderr)
    sys.exit(4)
except OSError as error:
    print("error: %s" % error, file=sys.stderr)
    sys.exit(15 if error.errno == 28 else 1)
PYTHON
}

# ---------------------------------------------------------------------------------------------
# Signatures
# ---------------------------------------------------------------------------------------------

# signature_holds RECORD PUBLIC_KEY: was records/RECORD signed with this key?
# -H: only prehashed signatures. The trusted comment was compared when the record was split, and
# is covered by the signature that is checked here.
signature_holds() {
    minisign -V -H -q -P "$2" -m "$work/records/$1" </dev/null >/dev/null 2>&1
}

# From the root key to the highest trust record.
open_repository() {
    [ -d "$repository" ] || fail 10 "$repository: there is no such folder" \
        "give the folder that holds repository.json"
    [ -e "$repository/repository.json" ] || fail 9 "$repository: there is no repository.json in it" \
        "give the folder that holds repository.json"

    found=$(read_json repository_record "$repository") || exit $?
    root=${found#* }
    if [ "$trust_any" = yes ]; then
        trust=$root
        {
            echo '****************************************************************************'
            echo '  NOT CHECKED: the repository is believed because it says so itself.'
            echo "  Its root public key: $root"
            echo '  Compare it with the recovery kit before you use what you restore.'
            echo '****************************************************************************'
        } >&2
    elif [ "$trust" != "$root" ]; then
        fail 9 "repository.json: is signed by root key $root, not by the one given" \
            "is this the right repository? compare with the recovery kit"
    fi
    signature_holds repository "$trust" || fail 9 "repository.json: its signature does not hold" \
        "fetch it anew; if that does not help, the repository was tampered with"

    versions=$(read_json trust_records "$repository") || exit $?
    for version in $versions; do
        signature_holds "trust-$version" "$trust" || fail 9 "trust/$version.json: its signature does not hold" \
            "fetch it anew; if that does not help, the repository was tampered with"
    done
}

# verify_snapshots JOB|-: which records were signed by a writer that may
verify_snapshots() {
    read_json snapshot_records "$repository" "$1" >"$work/to_verify" || exit $?
    while read -r record keys; do
        for key in $keys; do
            if signature_holds "snapshot-$record" "$key"; then
                echo "$record $key"
                break
            fi
        done
    done <"$work/to_verify" >"$work/verified"
}

# ---------------------------------------------------------------------------------------------
# Decryption
# ---------------------------------------------------------------------------------------------

# is_intact OBJECT SIZE SHA256; says what is wrong in $cause
is_intact() {
    if [ ! -f "$repository/$1" ]; then
        cause='is missing'
    elif [ "$(wc -c <"$repository/$1")" -ne "$2" ]; then
        cause="has $(wc -c <"$repository/$1") bytes instead of $2"
    elif [ "$(sha256sum <"$repository/$1")" != "$3  -" ]; then
        cause='has another SHA-256 than was recorded'
    else
        return 0
    fi
    return 1
}

# Tries the key files of the epoch, one after another, and leaves the epoch's key in epoch.key.
open_epoch() {
    read_json epoch_keys "$1" >"$work/epoch_keys" || exit $?
    intact=0 told=''
    {
        read -r recipient
        while read -r kind size sha256 object; do
            if ! is_intact "$object" "$size" "$sha256"; then
                told="$told
  $object: $cause"
                continue
            fi
            intact=$((intact + 1))
            # age reads a passphrase from the terminal, not from standard input.
            case $kind-$passphrase in
            passphrase-yes)
                echo "$object:" >&2
                age -d "$repository/$object" >"$work/epoch.key" || continue
                ;;
            passphrase-no | *-yes) continue ;;
            *) age -d -i "$identity" "$repository/$object" >"$work/epoch.key" 2>"$work/age.log" || continue ;;
            esac
            # A listed key file with another key inside would be a mistake of whoever signed it.
            if [ "$(age-keygen -y "$work/epoch.key" 2>/dev/null)" != "$recipient" ]; then
                fail 4 "$object: opens, but does not hold the key of epoch $1" "try another administrator's identity"
            fi
            return 0
        done
    } <"$work/epoch_keys"
    rm -f "$work/epoch.key"
    [ "$intact" -gt 0 ] || fail 4 "epoch $1: none of its key files is whole:$told" \
        "fetch keys/$1 anew from the store, a copy or the recovery kit"
    [ -z "$told" ] || warn "some key files are not whole:$told"
    fail 12 "the identity opens none of the key files of epoch $1" \
        "use the identity of an administrator named in: $(cut -d' ' -f4 "$work/epoch_keys" | tail -n +2 | tr '\n' ' ')"
}

# unpack OBJECT SHA256 SIZE FILE: checks a stored object, decrypts and decompresses it
unpack() {
    is_intact "$1" "$3" "$2" || fail 4 "$1: $cause" \
        "fetch it anew from the store or a copy; else restore another snapshot"
    # sh has no pipefail, so age leaves a word when it failed: zstd alone may not notice.
    rm -f "$work/age.failed"
    { age -d -i "$work/epoch.key" "$repository/$1" 2>"$work/age.log" || echo failed >"$work/age.failed"; } |
        zstd -d -q -c >"$4" 2>"$work/zstd.log" || echo failed >"$work/age.failed"
    [ ! -e "$work/age.failed" ] || fail 4 "$1: does not decrypt or decompress: $(cat "$work/age.log" "$work/zstd.log")" \
        "check free space in $work_parent; else restore another snapshot"
}

open_snapshot() {
    verify_snapshots "$job"
    : >"$work/warnings"
    found=$(read_json choose "$job" "$number") || exit $?
    # shellcheck disable=SC2086 # three words without blanks
    set -- $found
    while read -r line; do warn "$line"; done <"$work/warnings"
    open_epoch "$1"
    unpack "recipes/$2.zst.age" "$2" "$3" "$work/recipe"
    read_json recipe || exit $?
}

# ---------------------------------------------------------------------------------------------
# Streams
# ---------------------------------------------------------------------------------------------

# assemble STREAM_NUMBER FILE
# Extents jump between packs. So they are sorted by pack, and each pack is unpacked once, its
# pieces put at their places, and it is removed again: one pack on disk, whatever the order.
assemble() {
    rm -rf "$work/pieces"
    mkdir "$work/pieces"
    read_json pieces "$1" >"$work/pieces.list" || exit $?
    sort -n -k1,1 -k4,4 -S 64M -T "$work" -o "$work/pieces.list" "$work/pieces.list"
    read_json split_pieces <"$work/pieces.list" >"$work/pieces.packs" || exit $?
    rm -f "$work/pieces.list"
    : >"$2"
    done_packs=0
    all_packs=$(wc -l <"$work/pieces.packs")
    while read -r pack sha256 size plain; do
        rest=${sha256#??}
        unpack "packs/${sha256%"$rest"}/$sha256.zst.age" "$sha256" "$size" "$work/pack"
        [ "$(wc -c <"$work/pack")" -eq "$plain" ] || fail 4 "pack $sha256: unpacks to another length than was recorded"
        read_json copy_pieces "$pack" "$2" || exit $?
        rm -f "$work/pack" "$work/pieces/$pack"
        done_packs=$((done_packs + 1))
        [ ! -t 2 ] || printf '\r%s of %s packs ' "$done_packs" "$all_packs" >&2
    done <"$work/pieces.packs"
    [ ! -t 2 ] || [ "$all_packs" -eq 0 ] || printf '\n' >&2
    read_json check_stream "$1" "$2" || exit $?
}

restore_stream() {
    read_json find_stream "$stream" >"$work/found" || exit $?
    read_json space "$work" "$(read_json largest)" || exit $?
    {
        read -r stream_number kind length
        read_json space "$target_folder" "$length" || exit $?
        while read -r list_number; do
            [ -e "$work/list.$list_number" ] || assemble "$list_number" "$work/list.$list_number"
        done
    } <"$work/found"

    partial=$target.partial
    assemble "$stream_number" "$partial"
    sync "$partial" 2>/dev/null || sync
    if [ -e "$target" ] || [ -L "$target" ]; then
        fail 17 "$target: somebody made it meanwhile, and it is not overwritten" "name another file"
    fi
    mv -- "$partial" "$target"
    partial=''
}

what_next() {
    echo "restored $stream of $snapshot to $target: $length bytes, length and digest agree"
    case $kind in
    postgres)
        echo "next, into a new database:"
        echo "  createdb NEW_DATABASE"
        echo "  pg_restore --exit-on-error --dbname=NEW_DATABASE '$target'"
        echo "  (add --no-owner --no-privileges if the roles of the old server do not exist here)"
        ;;
    globals)
        echo "next, as a superuser, after reading it (it makes roles and tablespaces):"
        echo "  psql -X -d postgres -f '$target'"
        ;;
    files)
        echo "next, into a new folder (as root, so that owners are kept):"
        echo "  mkdir NEW_FOLDER && tar -xpf '$target' --numeric-owner -C NEW_FOLDER"
        ;;
    command)
        echo "it is what the command wrote to its standard output: give it to its counterpart"
        ;;
    esac
}

parse_arguments "$@"
check_arguments
need_programs
make_work
open_repository
case $command in
list)
    verify_snapshots -
    read_json list_snapshots
    ;;
streams)
    open_snapshot
    read_json show_streams
    ;;
restore)
    open_snapshot
    restore_stream
    what_next
    ;;
esac
# Something around the snapshot was not as it should be: done, but not in silence.
[ ! -s "$work/warnings" ] || exit 3
