using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>Vectors over the elements of a row whose length need not fill the last vector.</summary>
internal static unsafe class Lanes
{
    /// <summary>A vector of elements; where fewer are left, the remaining lanes are filled.</summary>
    /// <remarks>
    /// Chosen is an address, not a vector: a vector that a call may return lives in memory, even where nothing is
    /// called.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load<TLanes>(float* source, int left, float fill = 0)
        where TLanes : struct, ILanes<TLanes> =>
        TLanes.Load(left >= TLanes.Count ? source : FillUp(source, left, fill));

    /// <summary>The last elements of a row in any stored type, fewer than a vector has, and zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes LoadLast<TStored, TLanes>(byte* source, int left)
        where TStored : struct, IStored
        where TLanes : struct, ILanes<TLanes> => TLanes.Load(FillUp<TStored>(source, left));

    /// <summary>Stores a vector, or only the elements that there is room <paramref name="left"/> for.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TLanes>(float* destination, int left, TLanes value)
        where TLanes : struct, ILanes<TLanes>
    {
        if (left >= TLanes.Count)
        {
            TLanes.Store(destination, value);
        }
        else
        {
            TLanes.Store(ThreadScratch.Vector, value);
            CopyFirst(destination, left);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float* FillUp(float* source, int count, float fill)
    {
        var whole = ThreadScratch.Vector;
        for (var i = 0; i < ThreadScratch.VectorCount; i++)
        {
            whole[i] = i < count ? source[i] : fill;
        }

        return whole;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float* FillUp<TStored>(byte* source, int count)
        where TStored : struct, IStored
    {
        var whole = ThreadScratch.Vector;
        for (var i = 0; i < ThreadScratch.VectorCount; i++)
        {
            whole[i] = i < count ? TStored.LoadOne(source + (i * TStored.Size)) : 0;
        }

        return whole;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CopyFirst(float* destination, int count)
    {
        var whole = ThreadScratch.Vector;
        for (var i = 0; i < count; i++)
        {
            destination[i] = whole[i];
        }
    }
}
