//! Builds of the smallest program with each of the contenders: from nothing, again after a change of its own, how large it is, and
//! how many crates it takes.
//!
//! Processor seconds are counted, of all that cargo runs: on a loaded machine a build takes longer, and mostly not more of them.
//! All are built in a few rounds, one after the other in each, and the median counts.

use std::collections::BTreeSet;
use std::error::Error;
use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::{env, fs};

use crate::hello::{ALL, FLOOR, Hello, OWN, PLAIN, PRESCRIBED};
use crate::rounds::median;
use crate::target::{self, Target};
use crate::weather::Weather;
use crate::{figures, machine, page};

/// So many a second are counted by Linux.
const TICKS: f64 = 100.0;

const RELEASE: &[&str] = &["--release", "--config", "profile.release.strip=true"];

const BENCHMARKS: &str = env!("CARGO_MANIFEST_DIR");

/// How often each is built.
const ROUNDS: usize = 5;

/// What came of one program.
struct Built {
    name: &'static str,
    crates: f64,
    /// Processor seconds of a build from nothing, and how far apart those of the rounds are.
    cold: f64,
    spread: f64,
    /// Of a release build after a change of the program itself.
    again: f64,
    /// The bytes of that program, stripped.
    bytes: u64,
}

/// Processor seconds of one round.
struct Round {
    cold: f64,
    again: f64,
}

/// Builds all of them, and writes the part of the page that tells of it.
pub(crate) fn measure() -> Result<(), Box<dyn Error>> {
    let weather = Weather::watch();
    let folder = env::temp_dir().join(format!("startstop-benchmarks-{}", process::id()));
    let built = build_in(&folder);
    fs::remove_dir_all(&folder)?;
    page::write("build", &part(&built?, &weather))?;
    Ok(())
}

fn build_in(folder: &Path) -> Result<Vec<Built>, Box<dyn Error>> {
    // Without the rivals only what startstop is held against: theirs take many times as long.
    let all = ALL
        .iter()
        .filter(|hello| cfg!(feature = "rivals") || hello.is_own());
    let packages = all.map(|hello| Package::generated(folder, hello));
    let packages: Vec<Package> = packages.collect::<Result<_, _>>()?;
    let mut rounds: Vec<Vec<Round>> = packages.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        for (package, rounds) in packages.iter().zip(&mut rounds) {
            rounds.push(package.round()?);
        }
    }
    let all = packages.iter().zip(&rounds);
    all.map(|(package, rounds)| package.built_in(rounds))
        .collect()
}

/// The processor seconds that ended children of this process have taken, and theirs.
fn spent() -> Result<f64, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/self/stat")?;
    // The second field, a name in parentheses, may have spaces; those of the children are the 16th and the 17th.
    let (_, fields) = text.rsplit_once(") ").ok_or("proc says nothing")?;
    let fields = fields.split(' ').skip(13).take(2);
    let ticks: Result<Vec<f64>, _> = fields.map(str::parse).collect();
    Ok(ticks?.iter().sum::<f64>() / TICKS)
}

/// A program that is there to be built.
struct Package {
    name: &'static str,
    folder: PathBuf,
}

impl Package {
    /// Writes it, with the versions of the lock file, and downloads what it needs.
    fn generated(folder: &Path, hello: &Hello) -> Result<Self, Box<dyn Error>> {
        let folder = folder.join(hello.name.replace(' ', "-"));
        fs::create_dir_all(folder.join("src"))?;
        fs::write(folder.join("Cargo.toml"), manifest(hello)?)?;
        fs::write(folder.join("src/main.rs"), hello.main)?;
        fs::copy(
            Path::new(BENCHMARKS).join("Cargo.lock"),
            folder.join("Cargo.lock"),
        )?;
        let package = Self {
            name: hello.name,
            folder,
        };
        package.cargo(&["fetch"])?;
        Ok(package)
    }

    /// Builds it from nothing, then again.
    fn round(&self) -> Result<Round, Box<dyn Error>> {
        eprintln!("{}", self.name);
        let target = self.folder.join("target");
        if target.exists() {
            fs::remove_dir_all(target)?;
        }
        let cold = self.built(&[])?;
        self.built(RELEASE)?;
        let main = self.folder.join("src/main.rs");
        let text = fs::read_to_string(&main)?;
        fs::write(
            &main,
            text.clone() + "\n#[allow(dead_code)]\nfn changed() {}\n",
        )?;
        let again = self.built(RELEASE)?;
        fs::write(&main, text)?;
        Ok(Round { cold, again })
    }

    fn built_in(&self, rounds: &[Round]) -> Result<Built, Box<dyn Error>> {
        let colds = || rounds.iter().map(|round| round.cold);
        let [least, most] = [colds().reduce(f64::min), colds().reduce(f64::max)];
        Ok(Built {
            name: self.name,
            crates: self.crates()?,
            cold: median(colds().collect()),
            spread: most.zip(least).map_or(0.0, |(most, least)| most - least),
            again: median(rounds.iter().map(|round| round.again).collect()),
            bytes: fs::metadata(self.folder.join("target/release/hello"))?.len(),
        })
    }

    /// How many processor seconds a build takes.
    fn built(&self, words: &[&str]) -> Result<f64, Box<dyn Error>> {
        let before = spent()?;
        let build = ["build", "--quiet", "--offline", "--target-dir", "target"];
        self.cargo(&[&build, words].concat())?;
        Ok(spent()? - before)
    }

    /// How many crates are compiled, beside itself.
    fn crates(&self) -> Result<f64, Box<dyn Error>> {
        let tree = [
            "tree",
            "--offline",
            "--prefix",
            "none",
            "--edges",
            "normal,build",
        ];
        let listed = self.cargo(&[&tree[..], &["--no-dedupe", "--format", "{p}"]].concat())?;
        let crates: BTreeSet<&str> = listed.lines().map(package_of).collect();
        Ok(crates.len() as f64 - 1.0)
    }

    fn cargo(&self, words: &[&str]) -> Result<String, Box<dyn Error>> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let mut command = Command::new(cargo);
        command
            .args(words)
            .current_dir(&self.folder)
            // Cargo builds a crate that comes by path incrementally, and one from a registry never.
            .env("CARGO_INCREMENTAL", "0")
            .env_remove("CARGO_TARGET_DIR");
        let output = command.output()?;
        if !output.status.success() {
            let error = String::from_utf8_lossy(&output.stderr);
            return Err(format!("cargo {words:?} for {}: {error}", self.name).into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// The name and version in a line like `name v1.2.3 (proc-macro)`.
fn package_of(line: &str) -> &str {
    line.split_once(" (").map_or(line, |(package, _)| package)
}

fn manifest(hello: &Hello) -> Result<String, Box<dyn Error>> {
    let mut text = "[workspace]\n\n[package]\nname = \"hello\"\nversion = \"0.1.0\"\n\
                    edition = \"2024\"\n\n[dependencies]\n"
        .to_owned();
    for (name, features) in hello.dependencies {
        let version = machine::version(name).ok_or_else(|| format!("{name} is not locked"))?;
        let own = Path::new(BENCHMARKS).join("..").join(name);
        let path = if own.exists() {
            format!("path = \"{}\", ", own.display())
        } else {
            String::new()
        };
        let plain = if PLAIN.contains(name) {
            "default-features = false, "
        } else {
            ""
        };
        writeln!(
            text,
            "{name} = {{ {path}{plain}version = \"={version}\", features = {features:?} }}"
        )?;
    }
    Ok(text)
}

fn part(built: &[Built], weather: &Weather) -> String {
    let of = |name| built.iter().find(|built| built.name == name);
    let Some(floor) = of(FLOOR) else {
        return String::new();
    };
    let names: Vec<&str> = ALL
        .iter()
        .filter_map(|hello| Some(hello.dependencies.last()?.0))
        .collect();
    let mut text = format!(
        "## What it costs to build\n\n{} {}\n\nThe smallest program with one service. Processor seconds of a \
         cold `cargo build` that is not incremental, as what comes from a registry never is, and of a `cargo build --release` after \
         a line of the program itself was changed, each with its ratio to the first row, the median of {ROUNDS} rounds, with ± half of what the rounds differ by; the kilobytes of the released program, stripped, beyond those of the first row. Crates are what \
         `cargo tree --edges normal,build` lists beside the program itself.\n\n\
         | | crates | cold build | release build again | kB |\n|---|---:|---:|---:|---:|\n",
        machine::described(&names),
        weather.report(),
    );
    for one in built {
        let _ = writeln!(text, "{}", one.beside(floor));
    }
    if let (Some(prescribed), Some(own)) = (of(PRESCRIBED), of(OWN)) {
        text.push_str(&prescribed.share(own, floor));
    }
    text.push_str("\n| target | at most | found |\n|---|---:|---:|\n");
    let own = of(OWN);
    for target in own.map_or_else(Vec::new, |own| own.targets(floor)) {
        let _ = writeln!(text, "{target}");
    }
    text
}

impl Built {
    /// A row of the table.
    fn beside(&self, floor: &Self) -> String {
        let ratio = |own: f64, of: f64| figures::digits(own / of);
        format!(
            "| {} | {} | {:.1} ± {:.1} s · {} | {:.1} s · {} | {:.0} |",
            self.name,
            self.crates,
            self.cold,
            self.spread / 2.0,
            ratio(self.cold, floor.cold),
            self.again,
            ratio(self.again, floor.again),
            self.added(floor),
        )
    }

    /// What a program takes that depends on the same crates, and not on startstop.
    fn share(&self, own: &Self, floor: &Self) -> String {
        format!(
            "\nThe second row is a service by hand that uses all that the contract of startstop names as its dependencies: tokio with \
             signals, timers and several workers, tokio-util, async-trait, thiserror and signal-hook, and with their macros the \
             crates that a derive is built on. So of the {} crates {} are prescribed, of the ratio {} of the cold build {}, and of \
             the {:.0} kB {:.0}; the rest is what startstop adds.\n",
            own.crates,
            self.crates,
            figures::digits(own.cold / floor.cold),
            figures::digits(self.cold / floor.cold),
            own.added(floor),
            self.added(floor),
        )
    }

    /// How many kilobytes it is larger.
    fn added(&self, floor: &Self) -> f64 {
        (self.bytes as f64 - floor.bytes as f64) / 1_000.0
    }

    fn targets(&self, floor: &Self) -> Vec<Target> {
        let (cold, again) = (self.cold / floor.cold, self.again / floor.again);
        target::of_builds(self.crates, cold, again, self.added(floor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_has_the_versions_that_are_locked() {
        let hello = ALL
            .iter()
            .find(|hello| hello.name == OWN)
            .expect("it is listed");
        let text = manifest(hello).expect("its crates are locked");
        let tokio = machine::version("tokio").expect("it is locked");
        assert!(text.contains(&format!(
            "tokio = {{ version = \"={tokio}\", features = [\"macros\""
        )));
        assert!(text.contains("startstop-core = { path = "));
    }

    #[test]
    fn a_build_is_set_beside_the_floor() {
        let built = [
            (FLOOR, 10.0, 4.0, 1.0, 500_000),
            (OWN, 19.0, 6.0, 3.0, 740_000),
        ];
        let built = built.map(|(name, crates, cold, again, bytes)| Built {
            name,
            crates,
            cold,
            spread: 0.5,
            again,
            bytes,
        });
        let text = part(&built, &Weather::watch());
        assert!(text.contains("\n| startstop | 19 | 6.0 ± 0.2 s · 1.50 | 3.0 s · 3.00 | 240 |\n"));
        assert!(text.contains("to that of tokio with macros | 1.80 | 1.50, met |"));
        assert!(text.contains("| 2.00 | 3.00, **missed** |"));
    }

    #[test]
    fn what_children_have_spent_grows() {
        let before = spent().expect("it is told");
        let mut child = Command::new("rustc");
        child
            .arg("--version")
            .output()
            .expect("there is a compiler");
        assert!(spent().expect("it is told") >= before);
    }

    #[test]
    fn remarks_behind_a_crate_are_left_out() {
        assert_eq!(
            package_of("tokio-macros v2.7.2 (proc-macro)"),
            "tokio-macros v2.7.2"
        );
        assert_eq!(package_of("bytes v1.12.2"), "bytes v1.12.2");
    }
}
