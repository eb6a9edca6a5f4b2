# The few lines of C that everything compiled shares. Nothing here is visible from Python.
#
# Free-threaded, a word that several threads look at is read and written by the interpreter's own atomics; with
# the GIL no other thread can come between two lines of C, and plain reads and writes do.

from libc.stdint cimport uint64_t, uintptr_t

from cpython.object cimport PyObject


cdef extern from *:
    """
    #ifdef Py_GIL_DISABLED
      #define SAFEMAP_LOOKS 100
      #define safemap_load(word)        _Py_atomic_load_uintptr(word)
      #define safemap_peek(word)        _Py_atomic_load_uintptr_relaxed(word)
      #define safemap_store(word, new)  _Py_atomic_store_uintptr(word, new)
      #define safemap_load_ptr(place)   _Py_atomic_load_ptr_acquire(place)
      #define safemap_store_ptr(place, new) _Py_atomic_store_ptr_release(place, new)
      /* Reads before this are done before reads after it. Loads keep their order on x86. */
      #if defined(__x86_64__) || defined(_M_X64) || defined(__i386__)
        #define safemap_settle_reads()  ((void)0)
      #else
        #define safemap_settle_reads()  _Py_atomic_fence_seq_cst()
      #endif
      static inline int safemap_claim_word(uintptr_t *word, uintptr_t new) {
          uintptr_t expected = 0;
          return _Py_atomic_compare_exchange_uintptr(word, &expected, new);
      }
      #if defined(_MSC_VER)
        #include <intrin.h>
        #if defined(_M_X64) || defined(_M_IX86)
          #define safemap_relax()       _mm_pause()
        #else
          #define safemap_relax()       __yield()
        #endif
      #elif defined(__x86_64__) || defined(__i386__)
        #define safemap_relax()         __builtin_ia32_pause()
      #elif defined(__aarch64__) || defined(__arm__)
        #define safemap_relax()         __asm__ __volatile__("yield" ::: "memory")
      #else
        #define safemap_relax()         ((void)0)
      #endif
      /* Claims a word that another thread is about to set free: so many looks, a microsecond or two. */
      static inline int safemap_spin_for_word(uintptr_t *word, uintptr_t new) {
          for (int looks = 0; looks < SAFEMAP_LOOKS; looks++) {
              if (safemap_peek(word) == 0 && safemap_claim_word(word, new)) return 1;
              safemap_relax();
          }
          return 0;
      }
      typedef PyMutex safemap_guard;
      #define safemap_guard_enter(guard) PyMutex_Lock(guard)
      #define safemap_guard_leave(guard) PyMutex_Unlock(guard)
      #define safemap_guard_reset(guard) ((void)memset(guard, 0, sizeof(PyMutex)))
    #else
      #define safemap_load(word)        (*(word))
      #define safemap_peek(word)        (*(word))
      #define safemap_store(word, new)  ((void)(*(word) = (new)))
      #define safemap_load_ptr(place)   (*(place))
      #define safemap_store_ptr(place, new) ((void)(*(place) = (new)))
      #define safemap_settle_reads()    ((void)0)
      static inline int safemap_claim_word(uintptr_t *word, uintptr_t new) {
          if (*word) return 0;
          *word = new;
          return 1;
      }
      #define SAFEMAP_LOOKS 0  /* who has a lock cannot run meanwhile */
      #define safemap_spin_for_word(word, new)  0
      #define safemap_relax()           ((void)0)
      typedef char safemap_guard;
      #define safemap_guard_enter(guard) ((void)(guard))
      #define safemap_guard_leave(guard) ((void)(guard))
      #define safemap_guard_reset(guard) ((void)(guard))
    #endif

    /* The value of a key as a new reference, or one to `absent`. */
    static inline PyObject *safemap_find(PyObject *data, PyObject *key, PyObject *absent) {
        PyObject *value;
    #if PY_VERSION_HEX >= 0x030D0000
        if (PyDict_GetItemRef(data, key, &value) < 0) return NULL;
        return value ? value : Py_NewRef(absent);
    #else
        value = PyDict_GetItemWithError(data, key);
        if (value == NULL) {
            if (PyErr_Occurred()) return NULL;
            value = absent;
        }
        return Py_NewRef(value);
    #endif
    }

    /* Spreads a hash over all bits (Fibonacci hashing: Knuth, TAOCP 3, 6.4). */
    static inline size_t safemap_mix(Py_hash_t hash) {
        uint64_t spread = (uint64_t)hash * 0x9E3779B97F4A7C15u;
        return (size_t)(spread ^ (spread >> 32));
    }

    /* An object that all threads count references to at once is in their way without the GIL. */
    static inline void safemap_make_immortal(PyObject *object) {
    #ifdef Py_GIL_DISABLED
        object->ob_tid = 0;
        object->ob_ref_shared = 0;
        object->ob_ref_local = UINT32_MAX;
    #else
        (void)object;
    #endif
    }

    /* Up to 3.11 the collector, and finalizers with it, may run wherever an object is made. */
    #if PY_VERSION_HEX < 0x030C0000
      #define safemap_pause_collector()  PyGC_Disable()
      #define safemap_resume_collector(was_on)  do { if (was_on) PyGC_Enable(); } while (0)
    #else
      #define safemap_pause_collector()  0
      #define safemap_resume_collector(was_on)  ((void)(was_on))
    #endif

    /* Lets references from the interpreter's stack go uncounted (3.14, free-threaded). */
    static inline void safemap_share(PyObject *object) {
    #if defined(Py_GIL_DISABLED) && PY_VERSION_HEX >= 0x030E0000
        PyUnstable_Object_EnableDeferredRefcount(object);
    #else
        (void)object;
    #endif
    }
    """
    enum:
        LOOKS "SAFEMAP_LOOKS"
    ctypedef struct safemap_guard:
        pass

    uintptr_t thread_id "PyThread_get_thread_ident"() noexcept
    uintptr_t load_word "safemap_load"(uintptr_t *word) noexcept
    uintptr_t peek_word "safemap_peek"(uintptr_t *word) noexcept
    void store_word "safemap_store"(uintptr_t *word, uintptr_t new) noexcept
    bint claim_word "safemap_claim_word"(uintptr_t *word, uintptr_t new) noexcept
    void relax "safemap_relax"() noexcept
    bint spin_for_word "safemap_spin_for_word"(uintptr_t *word, uintptr_t new) noexcept
    void *load_ptr "safemap_load_ptr"(void **place) noexcept
    void store_ptr "safemap_store_ptr"(void **place, void *new) noexcept
    void settle_reads "safemap_settle_reads"() noexcept
    void guard_enter "safemap_guard_enter"(safemap_guard *guard) noexcept
    void guard_leave "safemap_guard_leave"(safemap_guard *guard) noexcept
    void guard_reset "safemap_guard_reset"(safemap_guard *guard) noexcept
    bint pause_collector "safemap_pause_collector"() noexcept
    void resume_collector "safemap_resume_collector"(bint was_on) noexcept
    object find_in "safemap_find"(PyObject *data, PyObject *key, PyObject *absent)
    size_t spread "safemap_mix"(Py_hash_t hash) noexcept
    void make_immortal "safemap_make_immortal"(object thing) noexcept
    void share "safemap_share"(object thing) noexcept
