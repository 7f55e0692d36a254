//! What `tar` is asked for.

#[derive(Debug, Default)]
pub(super) struct Wish {
    pub(super) create: bool,
    pub(super) extract: bool,
    pub(super) list: bool,
    pub(super) keep_time: bool,
    pub(super) file: String,
    pub(super) directory: String,
    pub(super) paths: Vec<String>,
}

/// Bundled letters with or without `-`, and the few long options that clients use.
pub(super) fn wish(args: &[String]) -> Result<Wish, String> {
    let mut wish = Wish { keep_time: true, ..Wish::default() };
    let mut args = args.iter().enumerate();
    while let Some((index, arg)) = args.next() {
        let letters = match arg.strip_prefix("--") {
            Some("no-same-permissions" | "no-same-owner" | "no-overwrite-dir" | "overwrite") => continue,
            Some("") => {
                wish.paths.extend(args.map(|(_, a)| a.clone()));
                break;
            }
            Some(other) => return Err(format!("unrecognized option: {other}")),
            None => match arg.strip_prefix('-') {
                Some(letters) if !letters.is_empty() => letters,
                _ if index == 0 => arg,
                _ => {
                    wish.paths.push(arg.clone());
                    continue;
                }
            },
        };
        for letter in letters.chars() {
            let mut value = || args.next().map(|(_, v)| v.clone()).ok_or_else(|| format!("option requires an argument: {letter}"));
            match letter {
                'c' => wish.create = true,
                'x' => wish.extract = true,
                't' => wish.list = true,
                'm' => wish.keep_time = false,
                'f' => wish.file = value()?,
                'C' => wish.directory = value()?,
                'p' | 'v' | 'o' | 'h' => {}
                'z' | 'j' | 'J' => return Err("compression is not simulated by the sandbox".to_owned()),
                other => return Err(format!("unrecognized option: {other}")),
            }
        }
    }
    match [wish.create, wish.extract, wish.list].iter().filter(|w| **w).count() {
        1 => Ok(wish),
        _ => Err("must specify one of -c, -x, -t".to_owned()),
    }
}
