namespace SafeLlama.Kernels;

/// <summary>A tensor as rows of floats: itself, or a copy where a training pass keeps it in bf16.</summary>
internal sealed unsafe class WidenedRows(TilePool pool)
{
    private readonly GrowingScratch _copy = new("a widened copy");

    /// <summary>The rows to read, valid until the next call.</summary>
    public Rows<float> Read(Tensor tensor)
    {
        var rows = Place(tensor);
        if (tensor.Type == DType.BFloat16)
        {
            var op = (From: ActivationRows.Of(tensor), To: rows);
            pool.ForRows(tensor.Rows, tensor.Columns, op, static (in t, first, end) =>
            {
                for (var n = first; n < end; n++)
                {
                    t.From.Read(n, t.To.At(n));
                }
            });
        }

        return rows;
    }

    /// <summary>Where rows are to be written; then comes <see cref="Commit"/>.</summary>
    public Rows<float> Place(Tensor tensor)
    {
        if (tensor.Type != DType.BFloat16)
        {
            return tensor.AsRows<float>();
        }

        var stride = tensor.Columns + ThreadScratch.VectorCount;
        return new(_copy.Floats((long)tensor.Rows * stride), stride, tensor.Columns);
    }

    /// <summary>Rounds what was written to where the tensor keeps it.</summary>
    public void Commit(Tensor tensor)
    {
        if (tensor.Type == DType.BFloat16)
        {
            var op = (From: Place(tensor), To: ActivationRows.Of(tensor));
            pool.ForRows(tensor.Rows, tensor.Columns, op, static (in t, first, end) =>
            {
                for (var n = first; n < end; n++)
                {
                    t.To.Commit(n, t.From.At(n));
                }
            });
        }
    }
}
