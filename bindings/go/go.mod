module libinfer/infer

go 1.23
