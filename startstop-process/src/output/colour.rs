//! Which colour a name has on a terminal: the first ones that come differ.

use std::sync::{Arc, Mutex, PoisonError};

const COLOURS: [u8; 12] = [36, 33, 32, 35, 34, 31, 96, 93, 92, 95, 94, 91];

/// More names than this are not remembered: who makes new ones for ever gets one of the colours.
const MOST: usize = 128;

static NAMES: Mutex<Vec<Arc<str>>> = Mutex::new(Vec::new());

pub(super) fn colour_of(name: &Arc<str>) -> u8 {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let known = names.iter().position(|known| known == name);
    let at = known.unwrap_or(names.len());
    if known.is_none() && names.len() < MOST {
        names.push(name.clone());
    }
    COLOURS[at % COLOURS.len()]
}

#[cfg(test)]
mod tests {
    use super::{Arc, COLOURS, MOST, NAMES, colour_of};

    #[test]
    fn a_name_keeps_its_colour_and_the_number_of_names_is_bounded() {
        let names: Vec<Arc<str>> = (0..1000).map(|n| format!("name-{n}").into()).collect();
        let colours: Vec<u8> = names.iter().take(COLOURS.len()).map(colour_of).collect();
        assert!(COLOURS.iter().all(|colour| colours.contains(colour)));
        assert!(
            names
                .iter()
                .map(colour_of)
                .all(|colour| COLOURS.contains(&colour))
        );
        assert_eq!(
            names
                .iter()
                .take(COLOURS.len())
                .map(colour_of)
                .collect::<Vec<_>>(),
            colours
        );
        assert_eq!(NAMES.lock().unwrap().len(), MOST);
    }
}
