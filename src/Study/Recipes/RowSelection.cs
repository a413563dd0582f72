namespace SafeLlama.Study;

/// <summary>How an arm's demonstrations are chosen from those that there are.</summary>
public enum RowSelection
{
    /// <summary>As the seed draws them.</summary>
    Random,

    /// <summary>Each next one as unlike those before as possible, by its words.</summary>
    Diverse,

    /// <summary>Those first whose refusal the base finds least likely: the requests it is most ready to
    /// serve.</summary>
    Complied,
}
