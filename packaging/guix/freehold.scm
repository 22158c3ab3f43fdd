;; Freehold as a Guix package:  guix build -f packaging/guix/freehold.scm
;;
;; Packages are named as `guix install` names them, so that a module of Guix may move without breaking this.
(use-modules (gnu packages)
             (guix build-system cmake)
             (guix gexp)
             (guix git-download)
             (guix packages)
             (guix utils)
             ((guix licenses) #:prefix license:))

(define (packages . names)
  (map specification->package names))

(package
  (name "freehold")
  (version "0.1.0")
  ;; The tree that this file lies in, without what was built there.
  (source (local-file "../.." "freehold-checkout"
                      #:recursive? #t
                      #:select? (git-predicate (string-append (current-source-directory) "/../.."))))
  (build-system cmake-build-system)
  (arguments
   (list #:tests? #f                    ;make test wants a machine of its own: cgroups, users, ports
         #:configure-flags #~(list "-GNinja" "-DCMAKE_BUILD_TYPE=Release")
         #:phases
         #~(modify-phases %standard-phases
             (replace 'build
               (lambda _
                 (invoke "ninja" "-j" (number->string (parallel-job-count)) "freehold" "freehold-keeper")))
             (replace 'install
               (lambda _
                 ;; Side by side: the one looks for the other beside itself.
                 (install-file "freehold" (string-append #$output "/bin"))
                 (install-file "freehold-keeper" (string-append #$output "/bin")))))))
  (native-inputs (packages "gcc-toolchain@12" "ninja" "pkg-config"))
  (inputs (cons (list (specification->package "glibc") "static") ;the keeper needs no libraries
                (packages "c-ares" "cli11" "fmt@9" "libyaml" "liburing" "nlohmann-json" "openssl" "sqlite" "zstd")))
  (synopsis "Run all the computing of a small organisation from one file")
  (description
   "Freehold supervises the programs of an organisation, routes HTTP to them, and deploys changes without losing a
request, from one file that says which programs run, how they are reached, and what they may use.")
  (home-page #f)
  (license license:gpl3+))
