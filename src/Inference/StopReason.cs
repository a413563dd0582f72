namespace SafeLlama.Inference;

/// <summary>Why an answer ended.</summary>
public enum StopReason
{
    /// <summary>The model said so, with an end token.</summary>
    End,

    /// <summary>The answer reached its largest length.</summary>
    Length,
}
