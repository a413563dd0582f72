namespace SafeLlama.Kernels;

/// <summary>The tensors of one attention call as the CPU path reads them; gradients are empty in forward.</summary>
internal readonly unsafe struct AttentionOperands
{
    public required Rows<float> Q { get; init; }

    public required Rows<float> K { get; init; }

    public required Rows<float> V { get; init; }

    public required Rows<float> Y { get; init; }

    public required Rows<float> LogSum { get; init; }

    public required Elements<int> FirstKey { get; init; }

    public required Elements<int> LastKey { get; init; }

    public required int HeadDim { get; init; }

    public required float Scale { get; init; }

    public Rows<float> Dy { get; init; }

    public Rows<float> Delta { get; init; }

    public Rows<float> Dq { get; init; }

    public Rows<float> Dk { get; init; }

    public Rows<float> Dv { get; init; }

    public int Heads => Q.Columns / HeadDim;

    public int KeyHeads => K.Columns / HeadDim;

    /// <summary>Query heads that share a key-value head.</summary>
    public int Group => Heads / KeyHeads;
}
