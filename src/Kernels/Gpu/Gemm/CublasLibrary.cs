using System.Runtime.InteropServices;

namespace SafeLlama.Kernels;

/// <summary>The functions of cuBLASLt that a product needs, and constants of its headers.</summary>
internal static partial class CublasLibrary
{
    public const string Name = "cublasLt";

    /// <summary>CUBLAS_COMPUTE_32F.</summary>
    public const int Compute32 = 68;

    /// <summary>CUDA_R_32F.</summary>
    public const int Real32 = 0;

    /// <summary>CUDA_R_16BF.</summary>
    public const int Brain16 = 14;

    /// <summary>CUBLASLT_MATMUL_DESC_TRANSA.</summary>
    public const int TurnFirst = 3;

    /// <summary>CUBLASLT_MATMUL_DESC_TRANSB.</summary>
    public const int TurnSecond = 4;

    /// <summary>Where the library may be found, the newest first.</summary>
    public static IReadOnlyList<string> Files { get; } = OperatingSystem.IsWindows()
        ? ["cublasLt64_13.dll", "cublasLt64_12.dll"]
        : ["libcublasLt.so.13", "libcublasLt.so.12"];

    /// <summary>Loads the library for the rest of the process; 0 where there is none.</summary>
    public static nint Load()
    {
        foreach (var file in Files)
        {
            if (NativeLibrary.TryLoad(file, out var handle))
            {
                return handle;
            }
        }

        return 0;
    }

    [LibraryImport(Name, EntryPoint = "cublasLtCreate")]
    public static partial int Create(out nint handle);

    [LibraryImport(Name, EntryPoint = "cublasLtDestroy")]
    public static partial int Destroy(nint handle);

    [LibraryImport(Name, EntryPoint = "cublasLtMatmulDescCreate")]
    public static partial int CreateProduct(out nint product, int compute, int scale);

    [LibraryImport(Name, EntryPoint = "cublasLtMatmulDescSetAttribute")]
    public static partial int Set(nint product, int attribute, in int value, nint bytes);

    [LibraryImport(Name, EntryPoint = "cublasLtMatmulDescDestroy")]
    public static partial int DestroyProduct(nint product);

    [LibraryImport(Name, EntryPoint = "cublasLtMatrixLayoutCreate")]
    public static partial int CreateLayout(out nint layout, int type, ulong rows, ulong columns, long leading);

    [LibraryImport(Name, EntryPoint = "cublasLtMatrixLayoutDestroy")]
    public static partial int DestroyLayout(nint layout);

    /// <param name="algorithm">0: the library asks its own heuristics.</param>
    [LibraryImport(Name, EntryPoint = "cublasLtMatmul")]
    public static partial int Multiply(
        nint handle, nint product, in float alpha, nint a, nint layoutA, nint b, nint layoutB, in float beta,
        nint c, nint layoutC, nint d, nint layoutD, nint algorithm, nint workspace, nint workspaceBytes, nint stream);
}
