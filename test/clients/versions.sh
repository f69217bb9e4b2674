# The versions of the clients; sourced by run.sh.
DRIVER=0.2.11
CONNECT=1.12.0
JS=1.23.1
DEBIAN=18.16.1
DEBIAN_LIBRARIES="libpoconet80 libpoconetssl80 libpocofoundation80 libpocoutil80 libpocoxml80 libpocojson80 libpococrypto80 libpocodata80 libpocodataodbc80
libpocomongodb80 libjemalloc2 libre2-9 libcapnp-0.9.2 libcctz2 libcpuinfo0 libdouble-conversion3 libfarmhash0 libmetrohash1 libmariadb3 librdkafka1
libboost-program-options1.74.0 libboost-filesystem1.74.0 libodbc2 libltdl7 libpcre3"
CHGO=v0.74.0
CLICKHOUSEGO=v2.50.0
JDBC=0.9.5
