namespace SafeLlama.Kernels;

/// <summary>What <see cref="DisentangledAttention"/> reads.</summary>
/// <param name="Query">[N, H·d].</param>
/// <param name="Key">[N, H·d].</param>
/// <param name="Value">[N, H·d].</param>
/// <param name="Relative">Distances, as keys and as queries.</param>
/// <param name="FirstKey">[N] Int32: the first row of each row's own sequence.</param>
/// <param name="LastKey">[N] Int32: the last row of each row's own sequence.</param>
public readonly record struct DisentangledInput(
    Tensor Query, Tensor Key, Tensor Value, RelativeTerms Relative, Tensor FirstKey, Tensor LastKey);

/// <summary>The distances between tokens as attention sees them.</summary>
/// <param name="Key">[P, H·d]: each distance's embedding, projected as a key.</param>
/// <param name="Query">[P, H·d]: each distance's embedding, projected as a query.</param>
/// <param name="Bucket">
/// [2R − 1] Int32: element R − 1 + r is the row of distance r = i − j, for |r| below R; never falling, in [0, P).
/// </param>
public readonly record struct RelativeTerms(Tensor Key, Tensor Query, Tensor Bucket)
{
    /// <summary>R: the rows of the longest sequence that the distances reach across.</summary>
    public int Reach => (Bucket.Columns + 1) / 2;
}

/// <summary>Where <see cref="DisentangledAttention"/> writes gradients.</summary>
/// <param name="Query">[N, H·d], overwritten.</param>
/// <param name="Key">[N, H·d], overwritten.</param>
/// <param name="Value">[N, H·d], overwritten.</param>
/// <param name="RelativeKey">[P, H·d], added to.</param>
/// <param name="RelativeQuery">[P, H·d], added to.</param>
/// <param name="Delta">[N, H] scratch for Σ_j p[i,j] · dp[i,j].</param>
public readonly record struct DisentangledGradients(
    Tensor Query, Tensor Key, Tensor Value, Tensor RelativeKey, Tensor RelativeQuery, Tensor Delta);
