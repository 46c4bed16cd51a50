//! Compiles the schema with protox, so that a machine without `protoc` can build.

use std::path::{Path, PathBuf};

use prost::Message;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=entente");
    println!("cargo:rerun-if-changed=google");

    let mut files = Vec::new();
    collect(Path::new("entente"), &mut files)?;
    files.sort();

    let mut compiler = protox::Compiler::new(["."])?;
    compiler
        .include_source_info(true)
        .include_imports(true)
        .open_files(&files)?;

    // The typed set loses custom options (`google.api.http`); the bytes keep them.
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(
        out.join("descriptors.bin"),
        compiler.encode_file_descriptor_set(),
    )?;

    let descriptors =
        prost_types::FileDescriptorSet::decode(&*compiler.file_descriptor_set().encode_to_vec())?;
    tonic_prost_build::configure()
        // Maps in the order of their keys: the same message always has the same bytes.
        .btree_map(".")
        .compile_fds(descriptors)?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|end| end == "proto") {
            files.push(path);
        }
    }
    Ok(())
}
