using System.Runtime.InteropServices;

namespace SafeLlama.Benchmarks;

/// <summary>OpenBLAS where the system has it installed: the baseline for matrix products, on one thread.</summary>
internal static unsafe partial class OpenBlas
{
    /// <summary>The category of benchmarks that need it.</summary>
    public const string Category = "OpenBLAS";

    private const string Library = "libopenblas.so.0";

    private const int RowMajor = 101;

    private static readonly Lazy<bool> Loaded = new(Load);

    /// <summary>Whether the library was found.</summary>
    public static bool IsInstalled => Loaded.Value;

    /// <summary>
    /// The kernels it picked for this machine, or was told to take: <c>Cooperlake</c>, <c>Haswell</c>.
    /// </summary>
    public static string CoreName => Marshal.PtrToStringUTF8(GetCoreName()) ?? "unknown";

    /// <summary>What forces other kernels than the machine's best; read by the library itself, once.</summary>
    public static string? ForcedCore => Environment.GetEnvironmentVariable("OPENBLAS_CORETYPE");

    /// <summary>c = a · b, or with transposed operands; all row-major without padding.</summary>
    /// <param name="a">[m, k], or [k, m] where it is transposed.</param>
    /// <param name="b">[k, n], or [n, k] where it is transposed.</param>
    /// <param name="c">[m, n].</param>
    public static void Multiply(
        float[] a, bool aTransposed, float[] b, bool bTransposed, float[] c, int m, int n, int k)
    {
        fixed (float* pa = a, pb = b, pc = c)
        {
            Sgemm(
                RowMajor, Order(aTransposed), Order(bTransposed), m, n, k, 1, pa, aTransposed ? m : k, pb,
                bTransposed ? k : n, 0, pc, n);
        }
    }

    private static int Order(bool transposed) => transposed ? 112 : 111;

    private static bool Load()
    {
        if (!NativeLibrary.TryLoad(Library, out _))
        {
            return false;
        }

        SetThreads(1);
        return true;
    }

    [LibraryImport(Library, EntryPoint = "openblas_set_num_threads")]
    private static partial void SetThreads(int threads);

    [LibraryImport(Library, EntryPoint = "openblas_get_corename")]
    private static partial nint GetCoreName();

    [LibraryImport(Library, EntryPoint = "cblas_sgemm")]
    private static partial void Sgemm(
        int layout, int transA, int transB, int m, int n, int k, float alpha, float* a, int lda, float* b, int ldb,
        float beta, float* c, int ldc);
}
