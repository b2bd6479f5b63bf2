FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev make perl
WORKDIR /src
COPY . .
RUN cargo build --release --locked

# The Debian release of the build stage, so that the C library fits.
FROM debian:bookworm-slim
# The certificates are for TLS to the mail server.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm --recursive /var/lib/apt/lists/*
# A fixed id, so that files in a volume keep their owner when the image is rebuilt.
RUN groupadd --gid 10001 rollcall \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/rollcall --shell /usr/sbin/nologin rollcall \
    && install --directory --owner rollcall --group rollcall --mode 0700 /var/lib/rollcall
COPY --from=build /src/target/release/rollcall /usr/local/bin/rollcall

USER 10001:10001
# The database, the secrets file and rollcall.toml are looked for in the working directory.
WORKDIR /var/lib/rollcall
VOLUME /var/lib/rollcall
ENV ROLLCALL_LISTEN=0.0.0.0:8080
EXPOSE 8080

# bash makes the HTTP request: it is in every Debian image, while curl would be installed for this alone.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD bash -c 'exec 3<>"/dev/tcp/127.0.0.1/${ROLLCALL_LISTEN##*:}" \
        && printf "GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" >&3 \
        && read -r _ status _ <&3 \
        && [[ $status == 200 ]]'

ENTRYPOINT ["rollcall"]
CMD ["serve"]
