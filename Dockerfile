# The image of all roles: one static binary, and nothing else that runs.
#
#   docker build -t entente .
#   docker run --rm entente --help
#
# A builder of your own needs Rust, a C compiler and the C library's static half: --build-arg BUILDER=IMAGE.
# --build-arg PROFILE=release builds several times as fast, and the image is larger.
ARG BUILDER=rust:1.95-slim-bookworm

FROM ${BUILDER} AS dependencies
ARG PROFILE=dist
ENV CARGO_INCREMENTAL=0 \
    RUSTFLAGS="-C target-feature=+crt-static"
WORKDIR /build

# What others wrote is compiled in a layer of its own, from the manifests and crates without contents, so that a change
# of the code does not compile it again. No cache mount: this way any builder can do it, the old one of Debian as well.
COPY Cargo.toml Cargo.lock ./
COPY proto/Cargo.toml proto/
COPY services/store/Cargo.toml services/store/
COPY services/chassis/Cargo.toml services/chassis/
COPY services/records/Cargo.toml services/records/
COPY services/trade/Cargo.toml services/trade/
COPY services/events/Cargo.toml services/events/
COPY services/culture/Cargo.toml services/culture/
COPY gateway/Cargo.toml gateway/
COPY cli/Cargo.toml cli/
COPY tests/Cargo.toml tests/
# A target that is named keeps the flags away from build scripts and macros, which cannot be static.
RUN set -eu; \
    for crate in proto services/* gateway cli tests; do mkdir -p $crate/src; : >$crate/src/lib.rs; done; \
    echo 'fn main() {}' | tee proto/build.rs >cli/src/main.rs; \
    cargo build --locked --package cli --profile "$PROFILE" --target "$(rustc --print host-tuple)"

FROM dependencies AS build
ARG PROFILE=dist
# Cargo goes by times, and those of the crates without contents are later.
COPY . .
RUN set -eu; \
    target=$(rustc --print host-tuple); \
    find proto services gateway cli -name '*.rs' -exec touch {} +; \
    cargo build --locked --package cli --profile "$PROFILE" --target "$target"; \
    mkdir -p /out/files/licences /out/folders; \
    cp "$(find "target/$target" -maxdepth 2 -name entente)" /out/files/entente; \
    cp LICENSE /out/files/licences/LICENSE; \
    sh deploy/image/licences.sh "$target" /out/files/licences; \
    cd /out/folders; \
    for folder in data setup backup results; do install -d -m 700 $folder; done; \
    for folder in authority gateway trade events culture access; do install -d -m 700 setup/$folder; done; \
    for folder in trade events culture; do install -d -m 700 restore/$folder; done

FROM scratch
# As in Cargo.toml; .ci/docker holds the two against each other.
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.title="Entente" \
      org.opencontainers.image.description="The relationship between two countries as data: trade, events, culture" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /out/files/ /
# A named volume takes its owner from the folder that it is mounted over. There is no VOLUME: a gateway keeps nothing, and
# a folder that nobody named would outlive its container unseen.
COPY --from=build --chown=65532:65532 /out/folders/ /
ENV ENTENTE_DATA=/data
USER 65532:65532
EXPOSE 50051 9464
# Asks what ENTENTE_SERVER names, this process on http://127.0.0.1:50051 by default.
HEALTHCHECK --interval=5s --timeout=10s --start-period=15m --retries=5 CMD ["/entente", "healthcheck", "--timeout", "8"]
ENTRYPOINT ["/entente"]
CMD ["serve"]
