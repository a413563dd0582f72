using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>Prefetches the rows that are needed next, a few cache lines at a time, during other work.</summary>
/// <remarks>Rows of a few hundred floats, read twelve at a time, are too short for the hardware prefetcher.</remarks>
/// <param name="rows">The first element of the first row; null asks for nothing.</param>
/// <param name="stride">Floats from row to row.</param>
/// <param name="count">How many rows.</param>
/// <param name="columns">Floats of a row.</param>
internal unsafe struct PrefetchRows(float* rows, nint stride, int count, int columns)
{
    private const int Line = 16;

    private readonly int _lines = (columns + Line - 1) / Line;
    private int _row = rows == null ? count : 0;
    private int _line;

    /// <summary>Prefetches this share of all lines into the second-level cache.</summary>
    /// <param name="shares">In how many shares everything is to be prefetched.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PrefetchShare(int shares)
    {
        var share = ((count * _lines) + shares - 1) / shares;
        while (share > 0 && _row < count)
        {
            var from = rows + (_row * stride);
            var end = Math.Min(_lines, _line + share);
            share -= end - _line;
            for (; _line < end; _line++)
            {
                Prefetch.ToL2(from + (_line * Line));
            }

            if (_line == _lines)
            {
                _line = 0;
                _row++;
            }
        }
    }
}
