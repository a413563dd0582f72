using System.Buffers.Binary;

namespace SafeLlama.Kernels;

/// <summary>A product with quantized activations, LLM.int8(), as plain loops.</summary>
/// <remarks>
/// <code>
/// h = fp16(x);  C = columns with any |h| ≥ threshold;  S[n] = max |h[n,i]| below the threshold
/// q[n,i] = round(h[n,i] · 127/S[n]) outside C, else 0
/// y[n,o] = Σ_i q[n,i] · code[o,i] · S[n] · absmax[o] / 127²  +  Σ_{i ∈ C} x[n,i] · W[o,i]
/// </code>
/// Dettmers et al. 2022, arXiv:2208.07339. Columns are found over all rows of a batch. Which way an activation rounds
/// is decided in fp32 on every backend.
/// </remarks>
internal static class Int8Reference
{
    /// <summary>
    /// bitsandbytes' factor on a CPU for a product of codes. 1/127² is 6.2000124e-5, and its CUDA kernel has
    /// 6.200012e-5: a part in 50,000, which decides how some activations of the next layer round.
    /// </summary>
    public const float Unit = 6.200124e-5f;

    public static void Forward(Tensor x, Tensor weight, Int8Format format, in Epilogue end, Tensor y)
    {
        var (values, codes, decoded) = (x.ReadFloats(), Codes(weight), weight.AsDoubles());
        var (rows, columns) = (x.Rows, x.Columns);
        var xs = x.AsDoubles();
        Int8Quantizer.RoundToHalf(values, values);
        var threshold = Threshold(format);
        var apart = Enumerable.Range(0, columns)
            .Where(i => Enumerable.Range(0, rows).Any(n => MathF.Abs(values[(n * columns) + i]) >= threshold)).ToList();
        var (ys, bias, residual) = (y.AsRows<double>(), end.Bias, end.Residual);
        var bs = bias is null ? default : bias.AsDoubleElements();
        var rs = residual is null ? default : residual.AsRows<double>();
        for (var line = 0; line < rows; line++)
        {
            var n = line;
            var row = values.AsSpan(n * columns, columns).ToArray();
            var most = Int8Quantizer.Absmax(row, threshold);
            var kept = apart.Select(i => xs[n][i]).ToArray();
            apart.ForEach(i => row[i] = 0);
            Int8Quantizer.QuantizeInPlace(row, most);
            for (var o = 0; o < y.Columns; o++)
            {
                var (absmax, code) = codes[o];
                var sum = 0.0;
                for (var i = 0; i < columns; i++)
                {
                    sum += (double)row[i] * code[i];
                }

                sum *= (double)most * absmax * Unit;
                for (var i = 0; i < kept.Length; i++)
                {
                    sum += kept[i] * decoded[o][apart[i]];
                }

                ys[n][o] = sum + (bias is null ? 0 : bs[o]) + (residual is null ? 0 : rs[n][o]);
            }
        }
    }

    /// <summary>From which magnitude columns are kept apart.</summary>
    public static float Threshold(Int8Format format) =>
        format.Threshold is > 0 and var threshold ? threshold : float.PositiveInfinity;

    private static (float Absmax, sbyte[] Codes)[] Codes(Tensor weight)
    {
        var bytes = new byte[weight.RowBytes];
        return
        [
            .. Enumerable.Range(0, weight.Rows).Select(row =>
            {
                weight.Storage.Read(weight.ByteOffset + ((long)row * weight.RowBytes), bytes);
                return (
                    BinaryPrimitives.ReadSingleLittleEndian(bytes),
                    Array.ConvertAll(bytes[Int8Format.ScaleBytes..], code => (sbyte)code));
            }),
        ];
    }
}
