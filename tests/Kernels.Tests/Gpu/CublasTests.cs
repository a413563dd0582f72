using SafeLlama.Common;

namespace SafeLlama.Kernels.Tests;

internal sealed class CublasTests
{
    /// <summary>The product as cuBLAS is documented to compute it, columns first, on what lies in memory.</summary>
    [TestCase(0, 0)]
    [TestCase(0, 1)]
    [TestCase(1, 1)]
    public void Its_view_of_our_matrices_gives_our_product(int transposeA, int transposeB)
    {
        const int M = 3, N = 4, K = 5;
        using var backend = new ReferenceBackend();
        using var arena = new Arena(backend, "test");
        var a = arena.Take(transposeA != 0 ? new(K, M) : new(M, K), DType.Float32, "a");
        var b = arena.Take(transposeB != 0 ? new(K, N) : new(N, K), DType.Float32, "b");
        var c = arena.Take(new(M, N), DType.Float32, "c");
        var product = CublasProduct.Of(a, b, c, new ProductForm(transposeA, transposeB, ProductEnd.Overwrite));
        double Ours(int m, int n, int k) => A(m, k) * B(n, k);
        double[] storedA = [.. Stored(transposeA != 0 ? K : M, transposeA != 0 ? M : K,
            (r, s) => transposeA != 0 ? A(s, r) : A(r, s))];
        double[] storedB = [.. Stored(transposeB != 0 ? K : N, transposeB != 0 ? N : K,
            (r, s) => transposeB != 0 ? B(s, r) : B(r, s))];
        Assert.That((product.Result.Rows, product.Result.Columns, product.Result.Leading), Is.EqualTo((N, M, N)));
        for (var m = 0; m < M; m++)
        {
            for (var n = 0; n < N; n++)
            {
                var theirs = Enumerable.Range(0, K).Sum(k =>
                    At(storedB, product.First, product.TurnFirst, n, k) * At(
                        storedA, product.Second, product.TurnSecond, k, m));
                Assert.That(theirs, Is.EqualTo(Enumerable.Range(0, K).Sum(k => Ours(m, n, k))).Within(1e-9));
            }
        }

        static double A(int m, int k) => 1 + (7 * m) + (3 * k * k);
        static double B(int n, int k) => 2 + (5 * n * n) + k;
        static IEnumerable<double> Stored(int rows, int columns, Func<int, int, double> value) =>
            Enumerable.Range(0, rows).SelectMany(r => Enumerable.Range(0, columns).Select(s => value(r, s)));
    }

    [Test]
    public void Its_absence_is_one_line_with_the_way_out()
    {
        if (CublasLibrary.Load() != 0)
        {
            Assert.Ignore("cuBLAS is installed here");
        }

        var error = Assert.Throws<SafeLlamaException>(CublasGemm.RequireInstalled)!;
        Assert.That(error.Code, Is.EqualTo(ExitCode.Usage));
        Assert.That(
            error.Message,
            Does.StartWith("Matmul cublas: libcublasLt.so.13 or libcublasLt.so.12 was not found; nothing needs it."));
    }

    /// <summary>Element (row, column) of op(matrix), the matrix stored columns first.</summary>
    private static double At(double[] stored, CublasLayout layout, int turned, int row, int column)
    {
        var (r, c) = turned != 0 ? (column, row) : (row, column);
        Assert.That(r < layout.Rows && c < layout.Columns, "inside the matrix");
        return stored[(c * layout.Leading) + r];
    }
}
