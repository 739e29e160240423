//! Cold builds of the smallest program with each of the contenders, and how many crates it takes.

use std::collections::BTreeSet;
use std::error::Error;
use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::time::Instant;
use std::{env, fs};

use crate::hello::{ALL, FLOOR, Hello, OWN};
use crate::rounds::median;
use crate::weather::Weather;
use crate::{figures, machine, page, target};

const ROUNDS: usize = 3;

const BENCHMARKS: &str = env!("CARGO_MANIFEST_DIR");

/// What came of one program.
struct Built {
    name: &'static str,
    crates: f64,
    seconds: f64,
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
    let packages = ALL.iter().map(|hello| Package::generated(folder, hello));
    let packages: Vec<Package> = packages.collect::<Result<_, _>>()?;
    let mut times = vec![Vec::with_capacity(ROUNDS); packages.len()];
    for round in 0..ROUNDS {
        for place in 0..packages.len() {
            let who = (round + place) % packages.len();
            eprintln!("round {} of {ROUNDS}: {}", round + 1, packages[who].name);
            times[who].push(packages[who].built()?);
        }
    }
    let built = packages.iter().zip(times).map(|(package, times)| {
        let (name, crates) = (package.name, package.crates()?);
        Ok(Built {
            name,
            crates,
            seconds: median(times),
        })
    });
    built.collect()
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

    /// How many seconds a build from nothing takes.
    fn built(&self) -> Result<f64, Box<dyn Error>> {
        let target = self.folder.join("target");
        if target.exists() {
            fs::remove_dir_all(&target)?;
        }
        let began = Instant::now();
        self.cargo(&["build", "--quiet", "--offline", "--target-dir", "target"])?;
        Ok(began.elapsed().as_secs_f64())
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
        writeln!(
            text,
            "{name} = {{ {path}version = \"={version}\", features = {features:?} }}"
        )?;
    }
    Ok(text)
}

fn part(built: &[Built], weather: &Weather) -> String {
    let of = |name| built.iter().find(|built| built.name == name);
    let floor = of(FLOOR).map_or(f64::NAN, |floor| floor.seconds);
    let names: Vec<&str> = ALL
        .iter()
        .filter_map(|hello| Some(hello.dependencies.last()?.0))
        .collect();
    let mut text = format!(
        "## What it costs to build\n\n{} {}\n\nCold `cargo build`s of the smallest program with one \
         service, in turn, {ROUNDS} of each: the median, and its ratio to the first row. Crates are what \
         `cargo tree --edges normal,build` lists beside the program itself.\n\n\
         | | crates | cold build |\n|---|---:|---:|\n",
        machine::described(&names),
        weather.report(),
    );
    for Built {
        name,
        crates,
        seconds,
    } in built
    {
        let ratio = figures::digits(seconds / floor);
        let _ = writeln!(text, "| {name} | {crates} | {seconds:.1} s · {ratio} |");
    }
    text.push_str("\n| target | at most | found |\n|---|---:|---:|\n");
    let own = of(OWN);
    let ratio = own.map(|own| own.seconds / floor);
    for target in target::of_builds(own.map(|own| own.crates), ratio) {
        let _ = writeln!(text, "{target}");
    }
    text
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
        let built = [(FLOOR, 10.0, 4.0), (OWN, 19.0, 6.0)];
        let built = built.map(|(name, crates, seconds)| Built {
            name,
            crates,
            seconds,
        });
        let text = part(&built, &Weather::watch());
        assert!(text.contains("\n| startstop | 19 | 6.0 s · 1.50 |\n"));
        assert!(text.contains("to that of tokio with macros | 1.50 | 1.50, met |"));
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
