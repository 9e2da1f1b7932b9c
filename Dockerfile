# The same binary as `go build ./cmd/varsel`, static, run by nobody.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /varsel ./cmd/varsel && mkdir /data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /usr/share/zoneinfo /usr/share/zoneinfo
COPY --from=build /varsel /varsel
COPY --from=build --chown=65532:65532 /data /data
USER 65532:65532
ENV VARSEL_DATABASE_URL=sqlite:///data/varsel.db VARSEL_LISTEN=0.0.0.0:8080
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["/varsel"]
CMD ["serve"]
