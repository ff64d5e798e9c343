# A Go service with everything that can be wrong with pprof, one switch each (tests/target).
FROM golang:1.25-bookworm AS build
WORKDIR /src
COPY tests/target .
RUN CGO_ENABLED=0 go build -o /shop .

FROM scratch
COPY --from=build /shop /shop
USER 65532:65532
EXPOSE 6060
ENTRYPOINT ["/shop"]
