using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>What the tiles of a disentangled attention have in common, and the products they share.</summary>
internal readonly unsafe struct DisentangledOperands<TLanes>(
    in DisentangledInput input, int headDim, double scale, Tensor logSum)
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>
    /// Floats of a cache line. A row of scores reads a column of <see cref="DisentangledTile.ByKey"/>; one line more
    /// per row spreads it over all cache sets.
    /// </summary>
    private const int Line = 16;

    private readonly DisentangledInput _input = input;
    private readonly Elements<int> _buckets = input.Relative.Bucket.AsElements<int>();
    private readonly int _reach = input.Relative.Reach;

    public readonly int HeadDim = headDim;
    public readonly int Heads = input.Query.Columns / headDim;
    public readonly float Scale = (float)scale;
    public readonly Rows<float> LogSum = logSum.AsRows<float>();

    /// <summary>Floats of scratch for one sequence and head: two score matrices, two relative products.</summary>
    public static long ScratchCount(long longest, long relativeRows) =>
        Gemm<TLanes>.ScratchCount + (2 * longest * longest) + (((2 * longest) + Line) * relativeRows);

    /// <summary>The scratch of a sequence, cut up: see <see cref="DisentangledTile"/>.</summary>
    public DisentangledTile Tile(int first, int length, int head)
    {
        // Buckets never fall, so those of a sequence are a range.
        var (low, high) = (_buckets.Pointer[_reach - length], _buckets.Pointer[_reach + length - 2]);
        var width = high - low + 1;
        var scratch = ThreadScratch.Floats(
            Gemm<TLanes>.ScratchCount + (2L * length * length) + (((2L * length) + Line) * width));
        var scores = scratch + Gemm<TLanes>.ScratchCount;
        var gradients = scores + ((long)length * length);
        var byQuery = gradients + ((long)length * length);
        return new()
        {
            First = first,
            Length = length,
            Head = head,
            Low = low,
            Width = width,
            ByKeyStride = length + Line,
            Gemm = (nint)scratch,
            Scores = (nint)scores,
            Gradients = (nint)gradients,
            ByQuery = (nint)byQuery,
            ByKey = (nint)(byQuery + ((long)length * width)),
            Buckets = (nint)(_buckets.Pointer + _reach - 1),
        };
    }

    /// <summary>s[i, j] of one sequence and head, into the tile's scores.</summary>
    public void Score(in DisentangledTile t)
    {
        var (q, k) = (Query(t), Key(t));
        Multiply(t, q, k, (t.Scores, t.Length), (t.Length, t.Length), Scale);
        Multiply(t, q, RelativeKey(t), (t.ByQuery, t.Width), (t.Length, t.Width), Scale);
        Multiply(t, RelativeQuery(t), k, (t.ByKey, t.ByKeyStride), (t.Width, t.Length), Scale);
        for (var i = 0; i < t.Length; i++)
        {
            AddRelative(t, i);
        }
    }

    public Block Query(in DisentangledTile t) => Of(_input.Query, t.First, t.Head);

    public Block Key(in DisentangledTile t) => Of(_input.Key, t.First, t.Head);

    public Block Value(in DisentangledTile t) => Of(_input.Value, t.First, t.Head);

    public Block RelativeKey(in DisentangledTile t) => Of(_input.Relative.Key, t.Low, t.Head);

    public Block RelativeQuery(in DisentangledTile t) => Of(_input.Relative.Query, t.Low, t.Head);

    /// <summary>The columns of one head, from a row on.</summary>
    public Block Of(Tensor tensor, int row, int head) =>
        new(tensor.AsRows<float>().At(row) + (head * HeadDim), tensor.RowStride);

    /// <summary>C = scale · A Bᵀ over a head's columns.</summary>
    public void Multiply(
        in DisentangledTile t, Block a, Block b, (nint C, int Stride) c, (int Rows, int Columns) size, float scale) =>
        Run(t, new()
        {
            Rows = size.Rows,
            Columns = size.Columns,
            K = HeadDim,
            A = a.Pointer,
            ARowStride = a.Stride,
            AStepStride = 1,
            B = (byte*)b.Pointer,
            BType = DType.Float32,
            BStride = b.Stride,
            BIsTransposed = true,
            C = (float*)c.C,
            CStride = c.Stride,
            Scale = scale,
        });

    /// <summary>C (+)= W B, or Wᵀ B: a matrix of weights times rows of a head.</summary>
    /// <param name="weights">Row-major, with its stride.</param>
    /// <param name="size">Rows of C, and terms of each sum.</param>
    public void Combine(
        in DisentangledTile t, (nint W, int Stride, bool Transposed) weights, Block b, Block c,
        (int Rows, int K) size, bool add)
    {
        var product = new MatrixProduct
        {
            Rows = size.Rows,
            Columns = HeadDim,
            K = size.K,
            A = (float*)weights.W,
            ARowStride = weights.Transposed ? 1 : weights.Stride,
            AStepStride = weights.Transposed ? weights.Stride : 1,
            B = (byte*)b.Pointer,
            BType = DType.Float32,
            BStride = b.Stride,
            BIsTransposed = false,
            C = c.Pointer,
            CStride = c.Stride,
            Scale = 1,
        };
        Run(t, add ? product.Added : product);
    }

    private static void Run(in DisentangledTile t, in MatrixProduct product)
    {
        for (var column = 0; column < product.Columns; column += Gemm<TLanes>.MaxColumns)
        {
            var end = Math.Min(product.Columns, column + Gemm<TLanes>.MaxColumns);
            Gemm<TLanes>.Run(product, (0, product.Rows), (column, end), direct: false, (float*)t.Gemm);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddRelative(in DisentangledTile t, int i)
    {
        float* scores = t.ScoreRow(i), byQuery = t.ByQueryRow(i), byKey = (float*)t.ByKey;
        var (length, stride, low) = (t.Length, t.ByKeyStride, t.Low);
        var buckets = (int*)t.Buckets + i;
        for (var j = 0; j < length; j++)
        {
            var b = buckets[-j] - low;
            scores[j] += byQuery[b] + byKey[((long)b * stride) + j];
        }
    }

    /// <summary>Rows of one head.</summary>
    internal readonly struct Block(float* pointer, int stride)
    {
        public readonly float* Pointer = pointer;
        public readonly int Stride = stride;
    }
}

/// <summary>The scratch of one sequence and head.</summary>
internal unsafe struct DisentangledTile
{
    /// <summary>The sequence's first row.</summary>
    public int First;

    /// <summary>L, its rows.</summary>
    public int Length;
    public int Head;

    /// <summary>The first bucket that its distances reach, and how many they reach.</summary>
    public int Low;
    public int Width;

    /// <summary>What products pack into.</summary>
    public nint Gemm;

    /// <summary>[L, L].</summary>
    public nint Scores;

    /// <summary>[L, L], in backward.</summary>
    public nint Gradients;

    /// <summary>[L, W] of queries and distances.</summary>
    public nint ByQuery;

    /// <summary>[W, L] of distances and keys, a cache line between rows.</summary>
    public nint ByKey;
    public int ByKeyStride;

    /// <summary>Where the bucket of distance 0 stands.</summary>
    public nint Buckets;

    public readonly float* ScoreRow(int i) => (float*)Scores + ((long)i * Length);

    public readonly float* GradientRow(int i) => (float*)Gradients + ((long)i * Length);

    public readonly float* ByQueryRow(int i) => (float*)ByQuery + ((long)i * Width);
}
