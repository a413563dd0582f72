namespace SafeLlama.Kernels;

/// <summary>A product with quantized activations on the CPU, as <see cref="Int8Reference"/> states it.</summary>
/// <remarks>
/// The product of codes goes through the ordinary matrix product: its terms are whole numbers, and so is every partial
/// sum, exact in fp32 up to 2²⁴ and in bf16 operands, which hold whole numbers up to 256. Columns that are kept apart
/// are a second product, of as many steps as there are such columns.
/// </remarks>
internal sealed unsafe class Int8Cpu<TLanes>(TilePool pool, GemmDispatch<TLanes> gemm, DType arithmetic)
    where TLanes : struct, ILanes<TLanes>
{
    private readonly GrowingScratch _activations = new("quantized activations");
    private readonly GrowingScratch _sums = new("sums of quantized activations");
    private readonly GrowingScratch _apart = new("activations that are not quantized");
    private readonly WidenedRows _x = new(pool);
    private readonly WidenedRows _y = new(pool);
    private byte[] _isApart = [];
    private int[] _columns = [];

    /// <summary>The floats that products of so many rows and columns take beside their operands.</summary>
    public static long ScratchCount(in WorkSize work) => 3L * work.Rows * work.Columns;

    /// <summary>The floats of the copies of x and y where a pass keeps them in bf16.</summary>
    public static long WidenedCount(in WorkSize work) =>
        2L * work.Rows * (work.Columns + ThreadScratch.VectorCount);

    public void Forward(Tensor x, Tensor weight, Int8Format format, in Epilogue end, Tensor y)
    {
        var (rows, depth) = (x.Rows, x.Columns);
        var q = _activations.Floats(((long)rows * depth) + rows);
        var scales = q + ((long)rows * depth);
        var (xs, ys) = (_x.Read(x), _y.Place(y));
        var apart = Round(xs, rows, q, Int8Reference.Threshold(format));
        var kept = Gather(xs, rows, apart, weight);
        Quantize(q, scales, (rows, depth), apart, Int8Reference.Threshold(format));
        var sums = _sums.Floats((long)rows * y.Columns);
        gemm.Run(MatrixProduct.NT(x, weight, y) with
        {
            A = q,
            AIsBFloat16 = false,
            ARowStride = depth,
            BFormat = new Int8Codes(depth),
            C = sums,
            CStride = y.Columns,
            Arithmetic = arithmetic,
        });
        Scale(sums, scales, weight, end, ys, rows);
        if (apart.Count > 0)
        {
            var product = MatrixProduct.NT(x, weight, y) with { C = ys.Pointer, CStride = ys.Stride };
            gemm.Run(product.Added with
            {
                K = apart.Count,
                A = kept,
                AIsBFloat16 = false,
                ARowStride = apart.Count,
                B = (byte*)(kept + ((long)rows * apart.Count)),
                BFormat = WeightFormat.F32,
                BStride = apart.Count,
            });
        }

        _y.Commit(y);
    }

    /// <summary>Rounds x to fp16, and finds the columns that are kept apart.</summary>
    private ArraySegment<int> Round(Rows<float> x, int rows, float* q, float threshold)
    {
        var depth = x.Columns;
        if (_isApart.Length < depth)
        {
            (_isApart, _columns) = (new byte[depth], new int[depth]);
        }

        _isApart.AsSpan(0, depth).Clear();
        var op = (X: x, Q: (nint)q, Apart: _isApart, Threshold: threshold);
        pool.ForRows(rows, depth, op, static (in t, first, end) =>
        {
            for (var n = first; n < end; n++)
            {
                var row = new Span<float>((float*)t.Q + ((long)n * t.X.Columns), t.X.Columns);
                Int8Quantizer.RoundToHalf(t.X[n], row);
                if (Int8Quantizer.Absmax(row) < t.Threshold)
                {
                    continue;
                }

                for (var i = 0; i < row.Length; i++)
                {
                    if (MathF.Abs(row[i]) >= t.Threshold)
                    {
                        t.Apart[i] = 1;
                    }
                }
            }
        });
        var count = 0;
        for (var i = 0; i < depth; i++)
        {
            if (_isApart[i] != 0)
            {
                _columns[count++] = i;
            }
        }

        return new(_columns, 0, count);
    }

    /// <summary>The columns that are kept apart, of x [N, C] and then of the weight [D_out, C].</summary>
    private float* Gather(Rows<float> x, int rows, ArraySegment<int> apart, Tensor weight)
    {
        if (apart.Count == 0)
        {
            return null;
        }

        var kept = _apart.Floats((long)(rows + weight.Rows) * apart.Count);
        for (var n = 0; n < rows; n++)
        {
            for (var i = 0; i < apart.Count; i++)
            {
                kept[((long)n * apart.Count) + i] = x[n][apart[i]];
            }
        }

        for (var o = 0; o < weight.Rows; o++)
        {
            var row = weight.HostPointer() + (o * weight.RowBytes);
            var codes = (sbyte*)row + Int8Format.ScaleBytes;
            var scale = Int8Format.Scale(*(float*)row);
            for (var i = 0; i < apart.Count; i++)
            {
                kept[((long)(rows + o) * apart.Count) + i] = codes[apart[i]] * scale;
            }
        }

        return kept;
    }

    private void Quantize(float* q, float* scales, (int Rows, int Depth) size, ArraySegment<int> apart, float threshold)
    {
        var op = (Q: (nint)q, Scales: (nint)scales, size.Depth, Apart: apart, Threshold: threshold);
        pool.ForRows(size.Rows, size.Depth, op, static (in t, first, end) =>
        {
            for (var n = first; n < end; n++)
            {
                var row = new Span<float>((float*)t.Q + ((long)n * t.Depth), t.Depth);
                var most = Int8Quantizer.Absmax(row, t.Threshold);
                foreach (var i in t.Apart)
                {
                    row[i] = 0;
                }

                Int8Quantizer.QuantizeInPlace(row, most);
                ((float*)t.Scales)[n] = most;
            }
        });
    }

    /// <summary>y = sums · S · absmax / 127² + bias + residual.</summary>
    private void Scale(float* sums, float* scales, Tensor weight, in Epilogue end, Rows<float> y, int rows)
    {
        var (bias, residual) = (end.Bias, end.Residual);
        var before = residual is null ? default : residual.AsRows<float>();
        var op = (Sums: (nint)sums, Scales: (nint)scales, weight, bias, HasResidual: residual is not null,
            Residual: before, Y: y);
        pool.ForRows(rows, y.Columns, op, static (in t, first, end) =>
        {
            var columns = t.Y.Columns;
            var bias = t.bias is null ? null : StoredRows.Row(t.bias, 0, ThreadScratch.Floats(columns));
            var stored = t.weight.HostPointer();
            var rowBytes = t.weight.RowBytes;
            for (var n = first; n < end; n++)
            {
                float* from = (float*)t.Sums + ((long)n * columns), to = t.Y.At(n);
                var residual = t.HasResidual ? t.Residual.At(n) : null;
                var scale = ((float*)t.Scales)[n];
                for (var o = 0; o < columns; o++)
                {
                    var absmax = *(float*)(stored + (o * rowBytes));
                    var value = from[o] * (scale * absmax * Int8Reference.Unit);
                    value += bias == null ? 0 : bias[o];
                    to[o] = residual == null ? value : residual[o] + value;
                }
            }
        });
    }
}
