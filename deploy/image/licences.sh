#!/bin/sh
# Writes into a folder what the binary is made of besides Entente, and under which terms: a line for each crate, then every
# text that the crates come with, once. `sh deploy/image/licences.sh TARGET FOLDER`, where the binary was built.
set -eu

target=$1
folder=$2
crates=${CARGO_HOME:-$HOME/.cargo}/registry/src
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

rule() {
  printf '\n────────────────────────────────────────────────────────────────────────\n%s\n' "$1"
  printf '────────────────────────────────────────────────────────────────────────\n\n'
}

# Macros and build scripts are no part of the binary. Crates with a path are Entente's own.
cargo tree --locked --offline --package cli --target "$target" --edges normal,no-proc-macro --prefix none \
  --format '{p}|{l}' | sed -e 's/ (\*)$//' -e '/(\//d' -e 's/ v/ /' | sort -u >"$scratch/list"

# Each text under its hash, with the crates that have it; what a crate brings in another language lies deeper.
while IFS='|' read -r crate _; do
  find "$crates"/*/"${crate% *}-${crate#* }" -maxdepth 3 -type f \( -iname 'licen[cs]e*' -o -iname 'copying*' \
    -o -iname 'copyright*' -o -iname 'notice*' -o -iname 'unlicense*' \) -not -name '*.rs' -exec sha256sum {} + |
    while read -r hash file; do
      cp "$file" "$scratch/$hash.text"
      echo "$crate" >>"$scratch/$hash.crates"
      echo "$crate" >>"$scratch/told"
    done
done <"$scratch/list"

{
  cat <<HEAD
Entente is under the Apache License 2.0, which stands in LICENSE. Its binary contains, besides:

- the standard library of Rust, MIT OR Apache-2.0: RUST.html says more;
- the GNU C library, LGPL-2.1-or-later, linked statically. Whoever wants another version of it builds the image anew from
  the sources of Entente, which its licence allows;
- these crates, each with its version and its licence:

HEAD
  sed 's/|/  /' "$scratch/list"
  printf '\nWithout a text of their own come, each under the terms named above:\n\n'
  cut -d'|' -f1 "$scratch/list" | grep -vxF -f "$scratch/told" || echo none
  for text in "$scratch"/*.text; do
    rule "$(sort -u "${text%.text}.crates" | paste -sd, | sed 's/,/, /g')"
    cat "$text"
  done
  if [ -f /usr/share/doc/libc6/copyright ]; then
    rule 'the GNU C library, as Debian has it'
    cat /usr/share/doc/libc6/copyright
  fi
} >"$folder/THIRD-PARTY"

cp "$(rustc --print sysroot)/share/doc/rust/COPYRIGHT-library.html" "$folder/RUST.html"
