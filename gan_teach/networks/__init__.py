"""What is trained: the networks that are not one paper's own idea, their layers and their losses.

    protocols       what any generator and any segmenter must offer
    device          where it is computed: the device, bfloat16, threads
    layers          equalised layers, pixel norm, minibatch standard deviation, blur; latents of a seed
    winograd        convolutions with fewer multiplications, for drawing alone
    growing         what networks that grow have in common
    losses, wgan    the adversarial losses and gradient penalties
    progan          the progressive GAN that chapter 1 dissects
    dcgan           the networks that chapter 3 evolves, on pictures and on the plane
    segmenter, classifier    the networks that judge
"""
