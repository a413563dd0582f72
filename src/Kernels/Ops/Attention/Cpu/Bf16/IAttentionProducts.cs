namespace SafeLlama.Kernels;

/// <summary>
/// The five products of attention on bf16 operands: by the instruction, or emulated with the same bytes.
/// </summary>
/// <remarks>
/// An operand is packed for the index that is summed, in a layout of the implementation's own. A block has 32 queries
/// (<see cref="QueryBlock{TLanes}"/>); columns are a multiple of 16, sums over rows of a multiple of 4.
/// </remarks>
internal unsafe interface IAttentionProducts
{
    /// <summary>Bytes that a packed element takes.</summary>
    static abstract int ElementBytes { get; }

    /// <summary>Whether rows that are summed along their columns need a copy (<see cref="CopyRows"/>).</summary>
    static abstract bool CopiesRows { get; }

    /// <summary>Rows as the first operand of <see cref="Scores"/>.</summary>
    /// <param name="rows">[count, columns] in bf16.</param>
    /// <param name="stride">Elements from row to row.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="columns">d.</param>
    /// <param name="to">[count, columns].</param>
    void CopyRows(ushort* rows, nint stride, int count, int columns, byte* to);

    /// <summary>Up to 32 rows as the second operand of <see cref="Scores"/>; rows that are missing are zero.</summary>
    /// <param name="rows">[count, columns] in bf16.</param>
    /// <param name="stride">Elements from row to row.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="columns">d.</param>
    /// <param name="spare">[32, columns] floats of scratch.</param>
    /// <param name="to">[columns, 32].</param>
    void PackColumns(ushort* rows, nint stride, int count, int columns, float* spare, byte* to);

    /// <summary>Rows to be summed over, as the second operand; rows up to the next multiple of 4 are zero.</summary>
    /// <param name="rows">[count, columns] in bf16.</param>
    /// <param name="stride">Elements from row to row.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="to">Room for whole fours of rows, <see cref="At"/> the first of these rows.</param>
    void PackRows(ushort* rows, nint stride, int count, in PackedRows to);

    /// <summary>Where a row of packed rows stands, a multiple of 4.</summary>
    byte* At(in PackedRows rows, int row);

    /// <summary>Rounds [keys, 32] for a sum over keys; the count is a multiple of 4.</summary>
    void RoundForKeys(float* values, int keys, byte* to);

    /// <summary>Rounds [keys, 32] for a sum over queries.</summary>
    void RoundForQueries(float* values, int keys, byte* to);

    /// <summary>scores [count, 32] = scale · Σ_e rows[j, e] · packed[e, i].</summary>
    /// <param name="rows">In bf16 as they lie, or copied by <see cref="CopyRows"/>.</param>
    /// <param name="stride">Elements from row to row.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="columns">d.</param>
    /// <param name="packed">From <see cref="PackColumns"/>.</param>
    /// <param name="scale">Multiplies every score.</param>
    /// <param name="edge">[4, columns] floats of scratch.</param>
    /// <param name="scores">[count, 32].</param>
    void Scores(
        byte* rows, nint stride, int count, int columns, byte* packed, float scale, float* edge, float* scores);

    /// <summary>c [32, d] (+)= scale · Σ_key p[key, i] · rows[key, j].</summary>
    /// <param name="p">From <see cref="RoundForKeys"/>.</param>
    /// <param name="rows">The packed rows, and the first that is met.</param>
    /// <param name="keys">How many, a multiple of 4.</param>
    /// <param name="scale">Multiplies every sum.</param>
    /// <param name="c">[32, d].</param>
    /// <param name="add">Whether to add to c.</param>
    void SumOverKeys(byte* p, (PackedRows Packed, int First) rows, int keys, float scale, float* c, bool add);

    /// <summary>c [keys, d] += scale · Σ_query p[key, query] · rows[query, j].</summary>
    /// <param name="p">From <see cref="RoundForQueries"/>.</param>
    /// <param name="rows">32 packed rows.</param>
    /// <param name="keys">How many, a multiple of 4.</param>
    /// <param name="scale">Multiplies every sum.</param>
    /// <param name="c">[keys, d].</param>
    void SumOverQueries(byte* p, in PackedRows rows, int keys, float scale, float* c);
}

/// <summary>Rows packed for a sum over them.</summary>
/// <param name="Start">Where row 0 stands.</param>
/// <param name="Count">Rows that there is room for, a multiple of 4.</param>
/// <param name="Columns">d, a multiple of 16.</param>
internal readonly unsafe record struct PackedRows(nint Start, int Count, int Columns)
{
    public byte* Pointer => (byte*)Start;
}
